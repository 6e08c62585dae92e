#include "features/slice_report.h"

#include <cmath>
#include <limits>

namespace feedrank {
namespace {

constexpr double kNotSaid = std::numeric_limits<double>::quiet_NaN();

double ratio(double part, double whole) { return whole > 0 ? part / whole : kNotSaid; }

/// The positions of the highest and the lowest value; both alike where fewer than two are there.
struct Extremes {
  size_t highest = 0;
  size_t lowest = 0;
};

template <typename Value>
Extremes extremes(size_t count, Value&& value) {
  size_t first = 0;
  while (first < count && std::isnan(value(first))) ++first;
  Extremes found{first, first};
  for (size_t i = first + 1; i < count; ++i) {
    if (value(i) > value(found.highest)) found.highest = i;
    // At equal values still two of them are there, so their gap is 0.
    if (value(i) < value(found.lowest) ||
        (found.lowest == found.highest && value(i) <= value(found.lowest))) {
      found.lowest = i;
    }
  }
  return found;
}

template <typename Value>
double gap(size_t count, Value&& value) {
  const Extremes found = extremes(count, value);
  return found.highest == found.lowest ? kNotSaid : value(found.highest) - value(found.lowest);
}

double disparity(const SliceSums& a, const SliceSums& b) {
  const double deviation = std::sqrt(ratio(a.squares + b.squares, a.scored + b.scored));
  const double apart = std::abs(a.mean - b.mean) / deviation;
  return std::isfinite(apart) ? apart : kNotSaid;
}

}  // namespace

SliceReport::Figures figures_of(const SliceSums& sums, const SliceSums& all) {
  return {sums.impressions,
          sums.clicks,
          ratio(sums.clicks, sums.impressions),
          sums.exposure,
          ratio(sums.exposure, all.exposure),
          sums.scored > 0 ? sums.mean : kNotSaid,
          std::sqrt(ratio(sums.squares, sums.scored))};
}

SliceReport compare_slices(std::span<const SliceSums> slices, const SliceSums& all) {
  SliceReport report;
  for (const SliceSums& slice : slices) report.values.push_back(figures_of(slice, all));
  const auto& values = report.values;
  const auto mean = [&](size_t i) { return values[i].mean_score; };
  report.gaps.click_through_rate =
      gap(values.size(), [&](size_t i) { return values[i].click_through_rate; });
  report.gaps.exposure_share =
      gap(values.size(), [&](size_t i) { return values[i].exposure_share; });
  report.gaps.mean_score = gap(values.size(), mean);
  const Extremes furthest = extremes(values.size(), mean);
  report.gaps.score_disparity = furthest.highest == furthest.lowest
                                    ? kNotSaid
                                    : disparity(slices[furthest.highest], slices[furthest.lowest]);
  return report;
}

}  // namespace feedrank
