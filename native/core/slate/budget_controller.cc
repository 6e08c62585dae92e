#include "slate/budget_controller.h"

#include <algorithm>
#include <cmath>

#include "slate/overloaded.h"

namespace feedrank {
namespace {

size_t bucket_of(double budget_ms, size_t buckets) {
  if (!(budget_ms > 0)) return 0;
  // The first begins at 2⁻⁸ ms.
  const double bucket = std::floor(std::log2(budget_ms)) + 8;
  return static_cast<size_t>(std::clamp(bucket, 0.0, static_cast<double>(buckets - 1)));
}

double turns(const Queue& queue) {
  return static_cast<double>(queue.waiting) / std::max(1U, queue.threads);
}

std::string milliseconds(double ms) {
  return ms < 10 ? std::to_string(std::round(ms * 10) / 10).substr(0, 3)
                 : std::to_string(std::llround(std::min(ms, 1e15)));
}

Overloaded refusal(const Promise& promise, const Queue& queue, double expected_ms) {
  const double retry_after = std::max(1.0, std::ceil(expected_ms - promise.budget_ms));
  return {"budgetMs",
          "budgetMs: expected an answer in " + milliseconds(expected_ms) + " ms, with " +
              std::to_string(queue.waiting) + " requests waiting, got a budget of " +
              milliseconds(promise.budget_ms) + " ms; try again in " + milliseconds(retry_after) +
              " ms, or give more",
          retry_after};
}

}  // namespace

void BudgetController::go_on_from(const BudgetController& before, uint32_t changed) {
  std::scoped_lock lock(mutex_, before.mutex_);
  scan_ = before.scan_;
  generation_ = before.generation_;
  narrowing_ = before.narrowing_;
  tiers_ = before.tiers_;
  selection_ = before.selection_;
  delivery_ = before.delivery_;
  work_ = before.work_;
  qualities_ = before.qualities_;
  Tier& other = tiers_[changed];
  other = {other.features.as_guess(), other.ranking.as_guess()};
}

size_t BudgetController::fewest_ranked(const Promise& promise, size_t candidates) {
  return std::min(candidates, std::max(size_t{2} * promise.limit, (candidates + 3) / 4));
}

QualityControl& BudgetController::quality_of(double budget_ms) {
  return qualities_[bucket_of(budget_ms, qualities_.size())];
}

const QualityControl& BudgetController::quality_of(double budget_ms) const {
  return qualities_[bucket_of(budget_ms, qualities_.size())];
}

double BudgetController::quality(double budget_ms) const {
  std::scoped_lock lock(mutex_);
  return quality_of(budget_ms).value();
}

double BudgetController::least_rest(const Promise& promise) const {
  const auto fewest = static_cast<double>(fewest_ranked(promise, promise.candidates));
  const CostLine cheapest = tiers_.empty() ? selection_.line() : tier_line(tiers_.back());
  const double planned = generation_.at(1) + narrowing_.at(fewest) + cheapest.at(fewest);
  // Stages that are not native take time, but not of a native thread.
  return work_.known() ? std::min(planned, work_.at(1)) : planned;
}

double BudgetController::least_work(const Promise& promise, const Queue& queue) const {
  const double share = std::clamp(std::ceil(turns(queue)), 1.0, double{kMostTogether});
  return scan_.at(share - 1) / share + least_rest(promise);
}

size_t BudgetController::together(const Promise& promise, double elapsed_ms,
                                  const Queue& queue) const {
  const double share = std::clamp(std::ceil(turns(queue)), 1.0, double{kMostTogether});
  if (!std::isfinite(promise.budget_ms)) return static_cast<size_t>(share);
  std::scoped_lock lock(mutex_);
  const double left = quality_of(promise.budget_ms).value() * promise.budget_ms - elapsed_ms -
                      least_rest(promise) - delivery_.at(1);
  const double fits = 1 + std::floor(scan_.line().most_within(left));
  return static_cast<size_t>(std::clamp(fits, 1.0, share));
}

void BudgetController::took_scan(size_t together, double ms) {
  std::scoped_lock lock(mutex_);
  scan_.record(static_cast<double>(together) - 1, ms);
}

CostLine BudgetController::tier_line(const Tier& tier) const {
  return tier.features.line() + tier.ranking.line() + selection_.line();
}

void BudgetController::admit(const Promise& promise, const Queue& queue) const {
  if (queue.waiting == 0 || !std::isfinite(promise.budget_ms)) return;
  std::scoped_lock lock(mutex_);
  const double work = least_work(promise, queue);
  // Each thread is somewhere within a request.
  const double expected = work * (turns(queue) + 0.5) + work + delivery_.at(1);
  if (expected <= quality_of(promise.budget_ms).value() * promise.budget_ms) return;
  throw refusal(promise, queue, expected);
}

void BudgetController::check_in_time(const Promise& promise, double elapsed_ms,
                                     const Queue& queue) const {
  if (queue.waiting == 0 || !std::isfinite(promise.budget_ms)) return;
  std::scoped_lock lock(mutex_);
  const double expected = elapsed_ms + scan_.at(0) + least_rest(promise) + delivery_.at(1);
  if (expected > promise.budget_ms) throw refusal(promise, queue, expected);
}

double BudgetController::end_ms(const Promise& promise, double elapsed_ms,
                                const Queue& queue) const {
  std::scoped_lock lock(mutex_);
  const double delivery = delivery_.at(1);
  const double own = promise.budget_ms - elapsed_ms - delivery;
  const double fair = (promise.budget_ms - delivery) / (1 + turns(queue));
  return elapsed_ms + quality_of(promise.budget_ms).value() * std::max(0.0, std::min(own, fair));
}

uint32_t BudgetController::keep(const Promise& promise, double left_ms) const {
  std::scoped_lock lock(mutex_);
  CostLine cost = narrowing_.line();
  if (!tiers_.empty()) cost += tier_line(tiers_.back());
  const double most = cost.most_within(left_ms);
  const auto fewest = static_cast<double>(fewest_ranked(promise, promise.candidates));
  return static_cast<uint32_t>(
      std::clamp(std::floor(most), fewest, static_cast<double>(promise.candidates)));
}

BudgetController::Choice BudgetController::choose(std::span<const uint32_t> tiers,
                                                  size_t candidates, size_t fewest,
                                                  double left_ms) {
  std::scoped_lock lock(mutex_);
  for (const uint32_t number : tiers) {
    Tier& tier = tiers_[number];
    const CostLine cost = tier_line(tier);
    const double most = std::floor(cost.most_within(left_ms));
    if (most >= static_cast<double>(fewest)) {
      const auto ranked = static_cast<size_t>(std::min(most, static_cast<double>(candidates)));
      return {number, ranked, cost.at(static_cast<double>(ranked))};
    }
    if (left_ms <= 0) continue;
    tier.features.pass_over();
    tier.ranking.pass_over();
  }
  return {std::nullopt, fewest, selection_.at(static_cast<double>(fewest))};
}

void BudgetController::took_generation(double ms) {
  std::scoped_lock lock(mutex_);
  generation_.record(1, ms);
}

void BudgetController::took_narrowing(size_t candidates, double ms) {
  std::scoped_lock lock(mutex_);
  narrowing_.record(static_cast<double>(candidates), ms);
}

void BudgetController::took_features(uint32_t tier, size_t candidates, double ms) {
  std::scoped_lock lock(mutex_);
  tiers_[tier].features.record(static_cast<double>(candidates), ms);
}

void BudgetController::took_ranking(uint32_t tier, size_t candidates, double ms) {
  std::scoped_lock lock(mutex_);
  tiers_[tier].ranking.record(static_cast<double>(candidates), ms);
}

void BudgetController::took_selection(size_t candidates, double ms) {
  std::scoped_lock lock(mutex_);
  selection_.record(static_cast<double>(candidates), ms);
}

void BudgetController::answered(const Promise& promise, double elapsed_ms, double native_ms,
                                double delivery_ms) {
  std::scoped_lock lock(mutex_);
  work_.record(1, native_ms);
  delivery_.record(1, delivery_ms);
  if (!std::isfinite(promise.budget_ms) || std::isnan(elapsed_ms)) return;
  // A caller's own clock runs a little longer than this one, and a few seconds of requests scatter
  // around what holds in the long run: part of the promises that may be broken is left for both.
  constexpr double kMayBreak = 0.6;
  const double percentile = 100 - kMayBreak * (100 - promise.percentile);
  quality_of(promise.budget_ms).record(elapsed_ms <= promise.budget_ms, percentile);
}

double BudgetController::delivery_ms() const {
  std::scoped_lock lock(mutex_);
  return delivery_.at(1);
}

}  // namespace feedrank
