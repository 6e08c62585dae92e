#include "slate/topic_similarity.h"

#include <algorithm>
#include <unordered_map>

namespace feedrank {

TopicSimilarity::TopicSimilarity(const SelectionPool& pool) {
  std::unordered_map<uint32_t, uint32_t> numbers;
  begin_.reserve(pool.size() + 1);
  begin_.push_back(0);
  for (size_t item = 0; item < pool.size(); ++item) {
    for (const uint32_t topic : pool.topics(item)) {
      const auto number =
          numbers.try_emplace(topic, static_cast<uint32_t>(numbers.size())).first->second;
      const auto mine = topics_.begin() + static_cast<ptrdiff_t>(begin_.back());
      if (std::find(mine, topics_.end(), number) == topics_.end()) topics_.push_back(number);
    }
    begin_.push_back(topics_.size());
  }
  distinct_ = numbers.size();
}

void TopicSimilarity::to_all(size_t item, std::span<double> out) const {
  // Items have few topics of many, so marking one item's and looking the others' up is less work
  // than comparing bit sets.
  std::vector<uint8_t> mine(distinct_, 0);
  for (size_t t = begin_[item]; t < begin_[item + 1]; ++t) mine[topics_[t]] = 1;
  const size_t own = begin_[item + 1] - begin_[item];
  for (size_t other = 0; other < out.size(); ++other) {
    size_t shared = 0;
    for (size_t t = begin_[other]; t < begin_[other + 1]; ++t) shared += mine[topics_[t]];
    const size_t either = own + (begin_[other + 1] - begin_[other]) - shared;
    out[other] = shared == 0 ? 0 : static_cast<double>(shared) / static_cast<double>(either);
  }
}

}  // namespace feedrank
