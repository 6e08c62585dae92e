#include "retrieval/scan_query.h"

#include <cmath>
#include <limits>

#include "retrieval/scan_coding.h"

namespace feedrank {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// More than the rounding of a weight and of what is multiplied by it.
constexpr double kRelative = 1e-12;
/// More than the rounding of products near the smallest float64.
constexpr double kAbsolute = 1e-300;

}  // namespace

ScanQuery::ScanQuery(const RetrievalQuery& query) : given_(query) {
  const size_t dimensions = query.vector.size();
  codes_.resize((dimensions + kScanGroup - 1) / kScanGroup * kScanGroup);
  const CodedVector coded = code_vector(query.vector, codes_);
  wide_codes_.assign(codes_.begin(), codes_.end());
  for (const int8_t code : codes_) offset_ += kScanOffset * code;
  norm_ = coded.norm;
  code_norm_ = coded.code_norm;
  unit_ = coded.scale;
  // The residual is computed in float64, so a hair more than it covers its rounding.
  residual_ = coded.residual * coded.scale * (1 + 1e-9);
}

int64_t ScanQuery::oldest_to_reach(double threshold, double norm) const {
  constexpr auto kNever = std::numeric_limits<int64_t>::min();
  if (threshold <= 0) return kNever;
  // As in may_reach.
  const double weight = threshold / (norm_ * norm * 1.000001);
  const double age = -std::log(weight) * given_.tau_ms;
  constexpr double kOldest = 1e18;
  return age < kOldest ? given_.now - static_cast<int64_t>(age) - 1 : kNever;
}

void ScanQuery::aim_at_all(ScanLane& lane) const {
  lane.codes = codes_.data();
  lane.wide_codes = wide_codes_.data();
  lane.offset = offset_;
  lane.unit = 1;
  lane.allowance = 0;
  lane.least = -std::numeric_limits<float>::infinity();
}

bool ScanQuery::aim(const ScanSegment::Unit& unit, double threshold, double newest_weight,
                    ScanLane& lane) const {
  const double lowered = threshold - std::abs(threshold) * kRelative - kAbsolute;
  double least = -kInfinity;  // of dot / ‖query‖
  if (lowered > 0) {
    least = lowered / (norm_ * newest_weight);
  } else if (given_.negatives == NegativeDots::kDrop) {
    least = 0;
  } else if (given_.negatives == NegativeDots::kKeep) {
    least = lowered / norm_;
  } else if (lowered > -kInfinity) {
    // Of what is negative most is left where the weight is least.
    least = lowered / (norm_ * weight(unit.oldest));
  }
  least -= residual_ / norm_ * unit.coded_norm;
  // No product of a scale leaves this range, and a float32 holds it.
  constexpr double kRange = 1e38;
  if (least > kRange) return false;
  // The rounding of the kernel's last product, which may be too small for float32.
  least = least < -kRange ? -kInfinity : least - std::abs(least) * 1e-6 - 1e-36;
  lane.codes = codes_.data();
  lane.wide_codes = wide_codes_.data();
  lane.offset = offset_;
  lane.unit = static_cast<float>(unit_ / norm_);
  lane.allowance = rounded_up(unit.allowance());
  lane.least = static_cast<float>(least);
  return true;
}

std::optional<BoundedScore> ScanQuery::score(Dots dots, double least_weight,
                                             double largest_weight) const {
  least_weight *= 1 - kRelative;
  largest_weight *= 1 + kRelative;
  BoundedScore bounds;
  const bool drops = given_.negatives == NegativeDots::kDrop;
  if (drops && dots.high < 0) return std::nullopt;
  const bool decays = given_.negatives != NegativeDots::kKeep;
  bounds.high = dots.high * (dots.high > 0 ? largest_weight : decays ? least_weight : 1.0);
  bounds.low = dots.low * (dots.low > 0 ? least_weight : decays ? largest_weight : 1.0);
  bounds.high += kAbsolute;
  bounds.low = drops && dots.low < 0 ? -kInfinity : bounds.low - kAbsolute;
  return bounds;
}

}  // namespace feedrank
