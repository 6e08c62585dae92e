#pragma once

namespace feedrank {

/// What the linear layers of a ranking model multiply in. Features and scores are float32 always.
enum class Precision { kFloat32, kBfloat16, kInt8 };

/// Throws PRECISION_UNAVAILABLE for kBfloat16 where this processor has no instructions for it
/// (AVX-512 BF16, which every processor with AMX has too), or oneDNN may not use them: it would be
/// slower than float32. And for kInt8 where oneDNN has no exact product of int8.
void check_precision(Precision precision);

/// How far rounding moves a score at most, |a − b| ≤ rounding · max(1, |b|): operands of bfloat16
/// are off by up to 1/512 of themselves, layer after layer; codes of int8 by up to 1/510 of how far
/// a row's numbers reach, and weights by up to 1/254 of the output's greatest.
constexpr float rounding_of(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return 1e-4F;
    case Precision::kBfloat16:
      return 0.05F;
    case Precision::kInt8:
      return 0.1F;
  }
  return 0;
}

}  // namespace feedrank
