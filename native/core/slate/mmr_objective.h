#pragma once

#include <vector>

#include "slate/objective.h"
#include "slate/selection_pool.h"
#include "slate/similarity.h"

namespace feedrank {

/// Maximal marginal relevance (Carbonell & Goldstein 1998):
/// (1 − w) · relevance − w · the greatest similarity to what is taken, which is 0 for the first.
class MmrObjective final : public Objective {
 public:
  MmrObjective(const SelectionPool& pool, const Similarity& similarity, double weight);

  double value(size_t item, double to_beat) override;
  double diversity(size_t item) const override { return -weight_ * greatest_[item]; }
  void take(size_t item) override;

 private:
  const SelectionPool& pool_;
  const Similarity& similarity_;
  double weight_;
  bool empty_ = true;
  std::vector<double> greatest_;  // [item]: similarity to what is taken
  std::vector<double> added_;
};

}  // namespace feedrank
