#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "slate/exposure_pattern.h"
#include "slate/query.h"
#include "slate/selection_pool.h"
#include "slate/slate_rules.h"

namespace feedrank {

/// Sees to it that groups of items get their shares of a slate's exposure: says which groups the
/// item of each position must belong to, whatever the objective that chooses among such items.
class ExposureSteering {
 public:
  /// Finds the members of each target's group in the pool. `length` is how many positions the slate
  /// will have; at most 32 targets.
  ExposureSteering(const SelectionPool& pool, std::span<const ExposureTarget> targets,
                   size_t length);

  /// The share of a target's group in a slate's exposure, in [0, 1]; 0 of an empty slate.
  double share(size_t target, std::span<const uint32_t> slate) const;
  /// How far a slate's shares lie outside their tolerances, summed.
  double violation(std::span<const uint32_t> slate) const;
  bool has_members(size_t target) const;

  /// Plans the positions from `first` on, with what the caps still leave of each group. `slate`
  /// holds the items before it.
  void plan(std::span<const uint32_t> slate, const SlateRules& rules);

  /// Whether the item belongs to the groups that the plan wants at a position.
  bool fits(size_t item, size_t position) const;
  /// What the plan adds to the item's relevance.
  double bonus(size_t item) const;

 private:
  const SelectionPool& pool_;
  std::span<const ExposureTarget> targets_;
  size_t length_;
  std::vector<uint32_t> groups_;  // [item]: bit t where it is a member of target t's group
  std::vector<uint32_t> wanted_;  // [position]: the groups of the item to come
  std::vector<double> multipliers_;
};

}  // namespace feedrank
