#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "features/slice_sums.h"

namespace feedrank {

/// What slices of readers, or groups of items, look like beside one another.
struct SliceReport {
  /// NaN stands for what cannot be said: a rate of nothing, a mean of no scores.
  struct Figures {
    double impressions = 0;
    double clicks = 0;
    double click_through_rate = 0;  // clicks / impressions
    double exposure = 0;
    double exposure_share = 0;  // of the exposure of all slates
    double mean_score = 0;
    double score_deviation = 0;  // standard deviation of the scores around it
  };
  /// Highest minus lowest value; NaN where fewer than two slices have one.
  struct Gaps {
    double click_through_rate = 0;
    double exposure_share = 0;
    double mean_score = 0;
    /// |mean A − mean B| / pooled standard deviation, for the two slices whose means lie furthest
    /// apart; NaN also where scores do not vary within them. Pooled over decayed weights, so
    /// without the correction for degrees of freedom.
    double score_disparity = 0;
  };

  std::vector<Figures> values;
  Gaps gaps;
};

SliceReport::Figures figures_of(const SliceSums& sums, const SliceSums& all);

SliceReport compare_slices(std::span<const SliceSums> slices, const SliceSums& all);

}  // namespace feedrank
