#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace feedrank {

/// Kendall's τ-b of two scores of the same items, from −1 (reversed) to 1 (the same order): the
/// pairs that both order alike less those that they order differently, of √((pairs that the one
/// does not tie) · (pairs that the other does not tie)). M. G. Kendall, The treatment of ties in
/// ranking problems, Biometrika 33 (1945); counted in n log n as by W. R. Knight, A computer method
/// for calculating Kendall's tau with ungrouped data, JASA 61 (1966). NaN where either ties all.
double kendall_tau_b(std::span<const double> a, std::span<const double> b);

/// The share of the first `k` of one order that are among the first `k` of another one of the same
/// items, 0 to 1; of all of them where there are fewer. NaN where there are none.
double top_overlap(std::span<const uint32_t> a, std::span<const uint32_t> b, size_t k);

}  // namespace feedrank
