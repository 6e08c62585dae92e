#pragma once

#include <cstdint>
#include <vector>

#include "slate/objective.h"
#include "slate/selection_pool.h"
#include "slate/similarity.h"

namespace feedrank {

/// Greedy maximum a posteriori inference of a determinantal point process (Chen, Zhang & Zhou 2018,
/// the fast form by Cholesky) with L_ij = q_i · q_j · S_ij and q_i = exp(α · relevance_i),
/// α = (1 − w) / (2 w).
///
/// Taking i multiplies det L by q_i² · r_i, where r_i is what the taken items leave of S_ii. So the
/// logarithm of the gain, times w, is (1 − w) · relevance_i + w · log r_i: only S is decomposed,
/// and no weight makes anything overflow.
class DppObjective final : public Objective {
 public:
  /// An item of which less than this is left lies, but for the rounding of float32 similarities, in
  /// the span of what is taken: it would add nothing, and the objective cannot tell such items
  /// apart.
  static constexpr double kLeastResidual = 1e-5;
  /// Positions that are told apart; bounds the memory, which is this times the pool.
  static constexpr size_t kMostTaken = 1000;

  DppObjective(const SelectionPool& pool, const Similarity& similarity, double weight);

  double value(size_t item, double to_beat) override;
  double diversity(size_t item) const override;
  void take(size_t item) override;

 private:
  const SelectionPool& pool_;
  const Similarity& similarity_;
  double weight_;
  std::vector<double> residual_;           // [item]: r
  std::vector<double> bound_;              // [item]: the value when it was last computed
  std::vector<uint8_t> stale_;             // [item]: whether r has changed since
  std::vector<std::vector<double>> rows_;  // [taken][item]: of the Cholesky factor
  std::vector<double> added_;
};

}  // namespace feedrank
