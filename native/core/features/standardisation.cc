#include "features/standardisation.h"

#include <algorithm>
#include <cmath>

namespace feedrank {

Standardisation Standardisation::of(std::vector<double>& values) {
  if (values.empty()) return {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (*least == *most) return {*least, 0};
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / count;
  constexpr double kRounding = 1e-9;
  const double largest = std::max(std::abs(values.front()), std::abs(values.back()));
  if (values.back() - values.front() <= kRounding * largest) return {mean, 0};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / count)};
}

}  // namespace feedrank
