#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "retrieval/retriever.h"
#include "retrieval/scan_kernel.h"
#include "retrieval/scan_segment.h"
#include "retrieval/score_collector.h"

namespace feedrank {

/// A query as a scan asks it: coded, with what is needed to bound scores from products of codes.
class ScanQuery {
 public:
  /// The query's vector must not be 0.
  ScanQuery(const RetrievalQuery& query);

  const RetrievalQuery& given() const { return given_; }
  double norm() const { return norm_; }
  double weight(int64_t publish_time) const {
    return decay_weight(publish_time, given_.now, given_.tau_ms);
  }

  /// Whether an item of at most this norm and weight can score the threshold.
  bool may_reach(double threshold, double norm, double weight) const {
    // A hair above 1 covers the rounding of the factors.
    constexpr double kRounding = 1.000001;
    return threshold <= 0 || norm_ * norm * weight * kRounding >= threshold;
  }

  /// The publish time before which no item of at most this norm can score the threshold, where one
  /// that is new may.
  int64_t oldest_to_reach(double threshold, double norm) const;

  /// ‖codes‖.
  double code_norm() const { return code_norm_; }
  /// At least the sine of the angle between the query and its codes, infinite where all are 0.
  double deviation() const { return residual_ / (unit_ * code_norm_); }

  /// Sets what a kernel is to be told so that it gives each item's product.
  void aim_at_all(ScanLane& lane) const;

  /// Sets what a kernel is to be told so that it leaves out no item of the unit that can score the
  /// threshold; says whether there can be such an item.
  bool aim(const ScanSegment::Unit& unit, double threshold, double newest_weight,
           ScanLane& lane) const;

  /// The bounds of an item's dot product, from the product of its codes with the query's.
  struct Dots {
    double low;
    double high;
  };
  Dots dots(const ScanSegment::Unit& unit, float scale, int32_t dot) const {
    const double middle = unit_ * scale * dot;
    const double error = norm_ * scale * unit.allowance() + residual_ * unit.coded_norm;
    return {middle - error, middle + error};
  }

  /// Bounds of the score where the weight is bounded, too; none where the item is certainly left
  /// out.
  std::optional<BoundedScore> score(Dots dots, double least_weight, double largest_weight) const;

 private:
  RetrievalQuery given_;
  std::vector<int8_t> codes_;
  std::vector<int16_t> wide_codes_;
  int32_t offset_ = 0;
  double norm_ = 0;
  double code_norm_ = 0;
  double unit_ = 0;      // what a step of the query's codes is worth
  double residual_ = 0;  // ‖query − unit · codes‖
};

}  // namespace feedrank
