#include "slate/vector_similarity.h"

#include <algorithm>
#include <cmath>

#include "catalog/catalog.h"

namespace feedrank {

VectorSimilarity::VectorSimilarity(const SelectionPool& pool, uint32_t space, Kernel kernel)
    : kernel_(kernel),
      dimensions_(pool.snapshot().catalog().schema().spaces[space].dimensions),
      present_(pool.size(), 0),
      units_((pool.size() + kBlock - 1) / kBlock * kBlock * dimensions_, 0.0F) {
  for (size_t item = 0; item < pool.size(); ++item) {
    const Chunk& chunk = pool.snapshot().chunk_of(pool.row(item));
    const uint32_t offset = Snapshot::offset_of(pool.row(item));
    if (!chunk.has_vector(space, offset)) continue;
    const float* vector = chunk.vector(space, offset);
    double squares = 0;
    for (uint32_t d = 0; d < dimensions_; ++d) squares += double{vector[d]} * double{vector[d]};
    if (!(squares > 0)) continue;
    present_[item] = 1;
    const double scale = 1 / std::sqrt(squares);
    float* unit = units_.data() + item / kBlock * kBlock * dimensions_ + item % kBlock;
    for (uint32_t d = 0; d < dimensions_; ++d) {
      unit[d * kBlock] = static_cast<float>(vector[d] * scale);
    }
  }
}

void VectorSimilarity::to_all(size_t item, std::span<double> out) const {
  if (present_[item] == 0) {
    std::fill(out.begin(), out.end(), 0.0);
    return;
  }
  const float* mine = units_.data() + item / kBlock * kBlock * dimensions_ + item % kBlock;
  for (size_t first = 0; first < out.size(); first += kBlock) {
    const float* block = units_.data() + first * dimensions_;
    float sums[kBlock] = {};
    for (uint32_t d = 0; d < dimensions_; ++d) {
      const float value = mine[d * kBlock];
      for (size_t i = 0; i < kBlock; ++i) sums[i] += value * block[d * kBlock + i];
    }
    const size_t count = std::min(kBlock, out.size() - first);
    if (kernel_ == Kernel::kCosine) {
      for (size_t i = 0; i < count; ++i) out[first + i] = sums[i];
    } else {
      for (size_t i = 0; i < count; ++i) {
        out[first + i] = present_[first + i] == 0 ? 0.0F : std::exp(sums[i] - 1.0F);
      }
    }
  }
}

}  // namespace feedrank
