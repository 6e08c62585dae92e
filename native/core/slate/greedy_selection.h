#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "slate/exposure_steering.h"
#include "slate/objective.h"
#include "slate/selection_pool.h"
#include "slate/slate_rules.h"

namespace feedrank {

/// What a greedy selection took.
struct GreedySlate {
  std::vector<uint32_t> items;
  std::vector<double> diversity;  // [position]: the objective's part that is not relevance
  uint32_t unspaced = 0;          // positions where spacing left nothing to take
  uint32_t by_score = 0;          // positions where the objective could not tell the items apart
  bool out_of_time = false;       // the rest was taken by score
};

/// Fills a slate position by position, each with the item that the objective values most among
/// those that the rules allow. Of equally good items, the one that comes first in the pool.
/// `objective` null: the first in the pool, that is the best score. `steering` null: no exposure
/// targets. A position takes an item that neither fits the steering nor stands far enough from its
/// like only where there is no other; spacing gives way before exposure does.
GreedySlate select_greedily(const SelectionPool& pool, size_t limit, const SlateLimits& limits,
                            Objective* objective, ExposureSteering* steering,
                            const std::function<bool()>& out_of_time);

}  // namespace feedrank
