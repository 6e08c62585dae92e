#pragma once

namespace feedrank {

/// What the linear layers of a ranking model multiply in. Features and scores are float32 always.
enum class Precision { kFloat32, kBfloat16 };

/// Throws PRECISION_UNAVAILABLE for kBfloat16 where this processor has no instructions for it
/// (AVX-512 BF16, which every processor with AMX has too), or oneDNN may not use them: it would be
/// slower than float32.
void check_precision(Precision precision);

/// How far rounding moves a score at most, |a − b| ≤ rounding · max(1, |b|): operands of bfloat16
/// are off by up to 1/512 of themselves, layer after layer.
constexpr float rounding_of(Precision precision) {
  return precision == Precision::kBfloat16 ? 0.05F : 1e-4F;
}

}  // namespace feedrank
