#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace feedrank {

/// As many as one processor adds at once without waiting for the last sum.
inline constexpr size_t kDotsTogether = 8;

/// `dot_product` of several vectors, each summed in its own order, so to the same bits.
inline void dot_products(std::span<const double> user,
                         const std::array<const float*, kDotsTogether>& vectors,
                         std::array<double, kDotsTogether>& dots) {
  dots.fill(0);
  for (size_t d = 0; d < user.size(); ++d) {
    for (size_t v = 0; v < kDotsTogether; ++v) dots[v] += user[d] * double{vectors[v][d]};
  }
}

}  // namespace feedrank
