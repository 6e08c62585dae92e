#include "slate/rank_agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace feedrank {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

double pairs(size_t count) {
  const auto n = static_cast<double>(count);
  return n * (n - 1) / 2;
}

/// Pairs within runs of positions that `same(i, i + 1)` holds together.
template <typename Same>
double tied_pairs(size_t count, const Same& same) {
  double tied = 0;
  size_t begin = 0;
  for (size_t i = 1; i <= count; ++i) {
    if (i < count && same(i - 1, i)) continue;
    tied += pairs(i - begin);
    begin = i;
  }
  return tied;
}

/// Sorts, and counts the pairs that stood in descending order.
double sort_and_count(std::span<double> values, std::span<double> room) {
  if (values.size() < 2) return 0;
  const size_t half = values.size() / 2;
  double swaps = sort_and_count(values.first(half), room.first(half)) +
                 sort_and_count(values.subspan(half), room.subspan(half));
  size_t left = 0;
  size_t right = half;
  for (double& next : room) {
    if (right == values.size() || (left < half && values[left] <= values[right])) {
      next = values[left++];
    } else {
      next = values[right++];
      swaps += static_cast<double>(half - left);
    }
  }
  std::copy(room.begin(), room.end(), values.begin());
  return swaps;
}

}  // namespace

double kendall_tau_b(std::span<const double> a, std::span<const double> b) {
  const size_t n = a.size();
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](uint32_t i, uint32_t j) { return a[i] != a[j] ? a[i] < a[j] : b[i] < b[j]; });
  const auto same_a = [&](size_t i, size_t j) { return a[order[i]] == a[order[j]]; };
  const double tied_a = tied_pairs(n, same_a);
  const double tied_both =
      tied_pairs(n, [&](size_t i, size_t j) { return same_a(i, j) && b[order[i]] == b[order[j]]; });
  std::vector<double> sorted(n);
  for (size_t i = 0; i < n; ++i) sorted[i] = b[order[i]];
  std::vector<double> room(n);
  const double discordant = sort_and_count(sorted, room);
  const double tied_b = tied_pairs(n, [&](size_t i, size_t j) { return sorted[i] == sorted[j]; });
  const double all = pairs(n);
  const double scale = std::sqrt((all - tied_a) * (all - tied_b));
  if (!(scale > 0)) return kUndefined;
  const double concordant = all - tied_a - tied_b + tied_both - discordant;
  return std::clamp((concordant - discordant) / scale, -1.0, 1.0);
}

double top_overlap(std::span<const uint32_t> a, std::span<const uint32_t> b, size_t k) {
  const size_t count = std::min(k, a.size());
  if (count == 0) return kUndefined;
  std::vector<uint8_t> is_top(a.size(), 0);
  for (const uint32_t item : a.first(count)) is_top[item] = 1;
  size_t both = 0;
  for (const uint32_t item : b.first(count)) both += is_top[item];
  return static_cast<double>(both) / static_cast<double>(count);
}

}  // namespace feedrank
