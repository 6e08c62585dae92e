#pragma once

#include <cstdint>
#include <vector>

#include "slate/selection_pool.h"
#include "slate/similarity.h"

namespace feedrank {

/// Similarity in an embedding space. Items without a vector, or with one of length 0, are similar
/// to nothing.
class VectorSimilarity final : public Similarity {
 public:
  enum class Kernel : uint8_t {
    kCosine,  // in [−1, 1]
    /// exp(cos − 1) = exp(−‖x − y‖² / 2) of unit vectors: a Gaussian, so the matrix of any distinct
    /// vectors is positive definite, where that of cosines has no more rank than dimensions.
    kGaussian,
  };

  VectorSimilarity(const SelectionPool& pool, uint32_t space, Kernel kernel);

  void to_all(size_t item, std::span<double> out) const override;

 private:
  /// Items whose dot products are summed side by side: each in its own accumulator, in order of
  /// dimensions, so that the compiler vectorises across items without reordering any sum.
  static constexpr size_t kBlock = 16;

  Kernel kernel_;
  uint32_t dimensions_;
  std::vector<uint8_t> present_;  // [item]
  std::vector<float> units_;      // [block][dimension][item of the block], of length 1 or 0
};

}  // namespace feedrank
