#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "catalog/snapshot.h"
#include "slate/candidate_set.h"

namespace feedrank {

/// Positions of all candidates by score, best first; equal scores newer first, then smaller id.
std::vector<uint32_t> order_by_score(const Snapshot& snapshot, const CandidateSet& candidates);

struct Caps {
  uint32_t limit = 0;
  uint32_t per_author = 0;  // 0: no cap
  uint32_t per_topic = 0;
};

/// Takes from `order` while the caps allow it. Items without an author are not capped by author.
std::vector<uint32_t> take_with_caps(const Snapshot& snapshot, const CandidateSet& candidates,
                                     std::span<const uint32_t> order, const Caps& caps);

}  // namespace feedrank
