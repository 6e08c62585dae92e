#include "slate/linear_cost.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace feedrank {

double CostLine::most_within(double ms) const {
  const double left = ms - fixed;
  if (left < 0) return -1;
  return each > 0 ? left / each : std::numeric_limits<double>::infinity();
}

void LinearCost::record(double rows, double ms) {
  if (!std::isfinite(rows) || !std::isfinite(ms) || rows < 0 || ms < 0) return;
  if (seen_ < kLeastObservations) ++seen_;
  if (seen_ == 1) return;
  // What has been doubted weighs less than the one trial that settles it.
  const double keep = passed_over_ > kPatience ? doubt() / weight_ : kDecay;
  if (known() && passed_over_ == 0) {
    ms = std::min(ms, kMostSurprise * fitted().at(rows) + 1);
  }
  passed_over_ = 0;
  weight_ = keep * weight_ + 1;
  rows_ = keep * rows_ + rows;
  rows_squared_ = keep * rows_squared_ + rows * rows;
  ms_ = keep * ms_ + ms;
  rows_ms_ = keep * rows_ms_ + rows * ms;
}

LinearCost LinearCost::as_guess() const {
  LinearCost guess = *this;
  if (weight_ <= 1) return guess;
  guess.weight_ /= weight_;
  guess.rows_ /= weight_;
  guess.rows_squared_ /= weight_;
  guess.ms_ /= weight_;
  guess.rows_ms_ /= weight_;
  return guess;
}

CostLine LinearCost::line() const {
  if (!known()) return {};
  const double doubted = doubt();
  const CostLine fit = fitted();
  return {fit.fixed * doubted, fit.each * doubted};
}

double LinearCost::doubt() const {
  return std::exp2(-std::max(0.0, passed_over_ - kPatience) / kPatience);
}

CostLine LinearCost::fitted() const {
  if (weight_ == 0) return {};
  const double mean = ms_ / weight_;
  if (rows_ <= 0) return {mean, 0};
  // A small penalty on the fixed part decides where the rows say nothing about it.
  constexpr double kPenalty = 0.01;
  const double determinant = weight_ * (1 + kPenalty) * rows_squared_ - rows_ * rows_;
  const double fixed = (ms_ * rows_squared_ - rows_ * rows_ms_) / determinant;
  if (!(fixed > 0)) return {0, rows_ms_ / rows_squared_};
  const double each = (weight_ * (1 + kPenalty) * rows_ms_ - rows_ * ms_) / determinant;
  if (!(each > 0)) return {mean, 0};
  return {fixed, each};
}

}  // namespace feedrank
