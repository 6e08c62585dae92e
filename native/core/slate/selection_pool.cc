#include "slate/selection_pool.h"

#include <cmath>
#include <utility>

namespace feedrank {

SelectionPool::SelectionPool(const Snapshot& snapshot, const CandidateSet& candidates,
                             std::vector<uint32_t> order)
    : snapshot_(snapshot), order_(std::move(order)), relevance_(order_.size(), 0.0) {
  rows_.reserve(order_.size());
  for (const uint32_t position : order_) rows_.push_back(candidates.rows[position]);
  if (order_.empty()) return;
  // Halved, because the difference of two finite numbers may be infinite.
  const double lowest = candidates.scores[order_.back()] / 2;
  const double range = candidates.scores[order_.front()] / 2 - lowest;
  if (!(range > 0)) return;
  for (size_t item = 0; item < order_.size(); ++item) {
    relevance_[item] = (candidates.scores[order_[item]] / 2 - lowest) / range;
  }
}

uint32_t SelectionPool::author(size_t item) const {
  return snapshot_.chunk_of(rows_[item]).author[Snapshot::offset_of(rows_[item])];
}

std::span<const uint32_t> SelectionPool::topics(size_t item) const {
  return snapshot_.chunk_of(rows_[item]).topics[Snapshot::offset_of(rows_[item])];
}

uint32_t SelectionPool::label(size_t item, uint32_t label) const {
  return snapshot_.chunk_of(rows_[item]).labels[label][Snapshot::offset_of(rows_[item])];
}

std::vector<double> position_exposures(size_t positions) {
  std::vector<double> exposures(positions);
  for (size_t p = 0; p < positions; ++p) exposures[p] = 1 / std::log2(static_cast<double>(p) + 2);
  return exposures;
}

}  // namespace feedrank
