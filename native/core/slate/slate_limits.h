#pragma once

#include <cstdint>

namespace feedrank {

/// How many items of one author and of one topic a slate may hold (never more), and how many others
/// must stand between two of them (where that leaves anything to take). 0 sets no rule.
struct SlateLimits {
  uint32_t per_author = 0;
  uint32_t per_topic = 0;
  uint32_t author_spacing = 0;
  uint32_t topic_spacing = 0;

  bool capped() const { return per_author > 0 || per_topic > 0; }
  bool spaced() const { return author_spacing > 0 || topic_spacing > 0; }
};

}  // namespace feedrank
