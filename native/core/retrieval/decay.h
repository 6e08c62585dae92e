#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace feedrank {

/// What decay does to a negative dot product. By the formula it pulls it towards 0, so that an old
/// bad item outranks a new bad one; it never displaces a positive score.
enum class NegativeDots : uint8_t {
  kDecay,  // dot · weight, as the formula says
  kKeep,   // dot, undecayed: a bad item stays as bad as it is
  kDrop,   // not a candidate
};

/// exp(−age / τ) in double precision, with a publish time in the future counting as age 0.
inline double decay_weight(int64_t publish_time, int64_t now, double tau_ms) {
  const auto age = static_cast<double>(std::max<int64_t>(0, now - publish_time));
  return std::exp(-age / tau_ms);
}

inline double decayed(double dot, double weight, NegativeDots negatives) {
  return dot < 0 && negatives == NegativeDots::kKeep ? dot : dot * weight;
}

/// A dot product in double precision, summed in order: the reference that rescoring uses.
inline double dot_product(const float* a, const float* b, uint32_t dimensions) {
  double sum = 0;
  for (uint32_t i = 0; i < dimensions; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

}  // namespace feedrank
