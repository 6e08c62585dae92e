#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "slate/selection_pool.h"
#include "slate/slate_limits.h"

namespace feedrank {

/// Keeps count of a slate that grows from the first position on, and says what may come next. Items
/// without an author or without topics are not held back by them.
class SlateRules {
 public:
  SlateRules(const SelectionPool& pool, const SlateLimits& limits);

  /// Whether the caps leave room for the item. Once they do not, they never will again.
  bool within_caps(size_t item) const {
    return (limits_.per_author == 0 || author_[item] == kNobody ||
            authors_[author_[item]].taken < limits_.per_author) &&
           (limits_.per_topic == 0 || all_topics(item, [this](const Tally& topic) {
              return topic.taken < limits_.per_topic;
            }));
  }
  /// Whether the item would stand far enough from its author's and its topics' others.
  bool spaced(size_t item, size_t position) const {
    return (limits_.author_spacing == 0 || author_[item] == kNobody ||
            position >= authors_[author_[item]].next) &&
           (limits_.topic_spacing == 0 ||
            all_topics(item, [position](const Tally& topic) { return position >= topic.next; }));
  }
  void take(size_t item, size_t position);

 private:
  struct Tally {
    uint32_t taken = 0;
    size_t next = 0;  // the first position where spacing lets another one stand
  };

  template <typename Holds>
  bool all_topics(size_t item, Holds&& holds) const {
    return std::all_of(topic_.begin() + topic_begin_[item], topic_.begin() + topic_begin_[item + 1],
                       [&](uint32_t topic) { return holds(topics_[topic]); });
  }

  SlateLimits limits_;
  // Authors and topics are renumbered, so that a check is an array's element and not a hash.
  static constexpr uint32_t kNobody = UINT32_MAX;
  std::vector<uint32_t> author_;       // [item]
  std::vector<uint32_t> topic_;        // of all items, one after another
  std::vector<uint32_t> topic_begin_;  // [item], and the end
  std::vector<Tally> authors_;
  std::vector<Tally> topics_;
};

}  // namespace feedrank
