#include "slate/mmr_objective.h"

#include <algorithm>

namespace feedrank {

MmrObjective::MmrObjective(const SelectionPool& pool, const Similarity& similarity, double weight)
    : pool_(pool),
      similarity_(similarity),
      weight_(weight),
      greatest_(pool.size(), 0.0),
      added_(pool.size()) {}

double MmrObjective::value(size_t item, double /*to_beat*/) {
  return (1 - weight_) * pool_.relevance(item) - weight_ * greatest_[item];
}

void MmrObjective::take(size_t item) {
  similarity_.to_all(item, added_);
  if (empty_) {
    greatest_ = added_;
  } else {
    for (size_t i = 0; i < added_.size(); ++i) greatest_[i] = std::max(greatest_[i], added_[i]);
  }
  empty_ = false;
}

}  // namespace feedrank
