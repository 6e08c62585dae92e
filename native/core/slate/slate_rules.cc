#include "slate/slate_rules.h"

#include <unordered_map>

#include "catalog/string_table.h"

namespace feedrank {

SlateRules::SlateRules(const SelectionPool& pool, const SlateLimits& limits) : limits_(limits) {
  const size_t n = pool.size();
  std::unordered_map<uint32_t, uint32_t> numbers;
  const auto number = [&numbers](uint32_t code) {
    return numbers.try_emplace(code, static_cast<uint32_t>(numbers.size())).first->second;
  };
  author_.assign(n, kNobody);
  if (limits.per_author > 0 || limits.author_spacing > 0) {
    for (size_t item = 0; item < n; ++item) {
      const uint32_t author = pool.author(item);
      if (author != StringTable::kNone) author_[item] = number(author);
    }
    authors_.resize(numbers.size());
    numbers.clear();
  }
  topic_begin_.assign(n + 1, 0);
  if (limits.per_topic > 0 || limits.topic_spacing > 0) {
    for (size_t item = 0; item < n; ++item) {
      for (const uint32_t topic : pool.topics(item)) topic_.push_back(number(topic));
      topic_begin_[item + 1] = static_cast<uint32_t>(topic_.size());
    }
    topics_.resize(numbers.size());
  }
}

void SlateRules::take(size_t item, size_t position) {
  if (author_[item] != kNobody) {
    Tally& author = authors_[author_[item]];
    ++author.taken;
    author.next = position + 1 + limits_.author_spacing;
  }
  for (uint32_t t = topic_begin_[item]; t < topic_begin_[item + 1]; ++t) {
    Tally& topic = topics_[topic_[t]];
    ++topic.taken;
    topic.next = position + 1 + limits_.topic_spacing;
  }
}

}  // namespace feedrank
