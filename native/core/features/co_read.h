#pragma once

#include <cmath>
#include <cstdint>

namespace feedrank {

/// Decayed reads that are added to each item's own, so that a pair of items that hardly anybody has
/// read is not taken for alike.
inline constexpr double kCoReadSmoothing = 10.0;

/// Of a reader's reads, how many are held against candidates, newest first.
inline constexpr uint32_t kCoReadReads = 20;

/// How alike two items are by who reads them, from 0 to about 1: the cosine of their readers
/// (Sarwar et al. 2001, "Item-based collaborative filtering recommendation algorithms"), shrunk
/// where few are known. `weight` is the pair's decayed weight and the totals are the items' decayed
/// reads, all as of one instant (PairStore).
inline double co_read_similarity(double weight, double total_a, double total_b) {
  return weight / std::sqrt((total_a + kCoReadSmoothing) * (total_b + kCoReadSmoothing));
}

}  // namespace feedrank
