#include "slate/shadow_log.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace feedrank {
namespace {

ShadowLog::Percentiles percentiles(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
    return values[std::max<size_t>(rank, 1) - 1];
  };
  return {at(0.5), at(0.99)};
}

}  // namespace

void ShadowLog::Mean::add(double value) {
  if (std::isnan(value)) return;
  sum += value;
  ++count;
}

double ShadowLog::Mean::value() const {
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
}

void ShadowLog::scored(const Comparison& comparison) {
  std::scoped_lock lock(mutex_);
  ++counts_.scored;
  overlap_.add(comparison.top_overlap);
  tau_.add(comparison.kendall_tau);
  if (live_ms_.size() < kRemembered) {
    live_ms_.push_back(comparison.live_ms);
    shadow_ms_.push_back(comparison.shadow_ms);
    return;
  }
  live_ms_[next_] = comparison.live_ms;
  shadow_ms_[next_] = comparison.shadow_ms;
  next_ = (next_ + 1) % kRemembered;
}

void ShadowLog::skipped() {
  std::scoped_lock lock(mutex_);
  ++counts_.skipped;
}

void ShadowLog::failed(std::string why) {
  std::scoped_lock lock(mutex_);
  ++counts_.failed;
  counts_.last_failure = std::move(why);
}

ShadowLog::Report ShadowLog::report() const {
  std::vector<double> live;
  std::vector<double> shadow;
  Report report;
  {
    std::scoped_lock lock(mutex_);
    report = counts_;
    report.top_overlap = overlap_.value();
    report.kendall_tau = tau_.value();
    live = live_ms_;
    shadow = shadow_ms_;
  }
  report.live_ms = percentiles(std::move(live));
  report.shadow_ms = percentiles(std::move(shadow));
  return report;
}

}  // namespace feedrank
