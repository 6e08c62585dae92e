#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "catalog/snapshot.h"
#include "slate/candidate_set.h"

namespace feedrank {

/// What a selector chooses from: the candidates in order of score, equal scores newer first, then
/// smaller id. Everything about a selection is indexed by the place in this order, so the first of
/// several equally good items is the one that the contract wants first.
class SelectionPool {
 public:
  /// `order` lists positions of candidates, best first.
  SelectionPool(const Snapshot& snapshot, const CandidateSet& candidates,
                std::vector<uint32_t> order);

  size_t size() const { return order_.size(); }
  const Snapshot& snapshot() const { return snapshot_; }

  /// The item's position among the candidates.
  uint32_t position(size_t item) const { return order_[item]; }
  Row row(size_t item) const { return rows_[item]; }
  /// The score, min-max normalised to [0, 1] over the pool; 0 where all scores are equal.
  double relevance(size_t item) const { return relevance_[item]; }

  uint32_t author(size_t item) const;
  std::span<const uint32_t> topics(size_t item) const;
  /// The code of the item's value of a label, or StringTable::kNone.
  uint32_t label(size_t item, uint32_t label) const;

 private:
  const Snapshot& snapshot_;
  std::vector<uint32_t> order_;
  std::vector<Row> rows_;
  std::vector<double> relevance_;
};

/// What a position of a slate, 0 for the first, counts for: 1 / log2(position + 2), the discount of
/// discounted cumulative gain (Järvelin & Kekäläinen 2002), taken here as a reader's attention.
std::vector<double> position_exposures(size_t positions);

}  // namespace feedrank
