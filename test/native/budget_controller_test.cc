#include "slate/budget_controller.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <random>

#include "check.h"
#include "slate/overloaded.h"

namespace {

using namespace feedrank;

constexpr uint32_t kFull = 0;
constexpr uint32_t kDot = 1;
constexpr uint32_t kTiers[] = {kFull, kDot};

/// Two threads that answer requests one after another, by a simulated clock. A request takes
/// 2 ms of generation, and 8 ms of ranking for 500 candidates, a hundredth of that where decayed
/// dot ranks; each part is off by a random factor.
class Service {
 public:
  explicit Service(Promise promise) : promise_(promise), controller_(2) {}

  struct Counts {
    int offered = 0;
    int refused = 0;
    int kept = 0;    // answered within the budget
    int missed = 0;  // answered after it
    int full = 0;    // answered by the full ranker
    double rate(int count) const { return static_cast<double>(count) / std::max(1, kept + missed); }
  };

  /// Requests come at random for `seconds`, so many a second.
  Counts run(double seconds, double per_second) {
    Counts counts;
    const double end = clock_ + seconds * 1000;
    double next = clock_ + gap(per_second);
    while (next < end) {
      serve_until(next, counts);
      clock_ = next;
      ++counts.offered;
      try {
        controller_.admit(promise_, queue());
        waiting_.push_back(clock_);
      } catch (const Overloaded& refusal) {
        ++counts.refused;
        well_told_ = well_told_ && refusal.code() == "OVERLOADED" && refusal.retry_after_ms() >= 1;
      }
      next += gap(per_second);
    }
    serve_until(std::numeric_limits<double>::infinity(), counts);
    return counts;
  }

  bool well_told() const { return well_told_; }
  double lowest_quality() const { return lowest_quality_; }
  double quality() const { return controller_.quality(promise_.budget_ms); }
  /// Everything takes so many times as long from now on.
  void slow_down(double factor) { slowness_ = factor; }

 private:
  Queue queue() const { return {waiting_.size(), 2}; }
  double gap(double per_second) {
    return std::exponential_distribution<double>(per_second / 1000)(random_);
  }
  double noisy(double ms) {
    return slowness_ * ms * std::lognormal_distribution<double>(0, 0.15)(random_);
  }

  void serve_until(double time, Counts& counts) {
    while (!waiting_.empty()) {
      double& free_at = *std::min_element(std::begin(free_at_), std::end(free_at_));
      const double begin = std::max(free_at, waiting_.front());
      if (begin >= time) return;
      const double submitted = waiting_.front();
      waiting_.pop_front();
      // Who comes after this instant does not wait yet.
      free_at = begin + serve(submitted, begin, counts);
    }
  }

  double serve(double submitted, double begin, Counts& counts) {
    const double waited = begin - submitted;
    try {
      controller_.check_in_time(promise_, waited, queue());
    } catch (const Overloaded&) {
      ++counts.refused;
      return 0;
    }
    lowest_quality_ = std::min(lowest_quality_, quality());
    const double end = controller_.end_ms(promise_, waited, queue());
    const double generation = noisy(2);
    controller_.took_generation(generation);
    const uint32_t kept = controller_.keep(promise_, end - waited - generation);
    const double narrowing = noisy(0.0004 * kept);
    controller_.took_narrowing(kept, narrowing);
    const double left = end - waited - generation - narrowing;
    const BudgetController::Choice choice =
        controller_.choose(kTiers, kept, BudgetController::fewest_ranked(promise_, kept), left);
    const auto ranked = static_cast<double>(choice.ranked);
    double features = 0;
    double ranking = 0;
    if (choice.tier) {
      const double dearness = *choice.tier == kFull ? 1 : 0.01;
      features = noisy(0.006 * dearness * ranked);
      ranking = noisy(0.5 * dearness + 0.009 * dearness * ranked);
      controller_.took_features(*choice.tier, choice.ranked, features);
      controller_.took_ranking(*choice.tier, choice.ranked, ranking);
    }
    const double selection = noisy(0.1);
    controller_.took_selection(choice.ranked, selection);
    const double work = generation + narrowing + features + ranking + selection;
    const double delivery = noisy(0.2);
    controller_.answered(promise_, waited + work + delivery, work, delivery);
    ++(waited + work + delivery <= promise_.budget_ms ? counts.kept : counts.missed);
    if (choice.tier == kFull) ++counts.full;
    return work;
  }

  const Promise promise_;
  BudgetController controller_;
  std::mt19937_64 random_{11};
  double clock_ = 0;
  double slowness_ = 1;
  double free_at_[2] = {0, 0};
  std::deque<double> waiting_;
  double lowest_quality_ = 1;
  bool well_told_ = true;
};

constexpr Promise kThirty{30, 99, 50, 500};

/// A controller that has seen requests of one kind.
void teach(BudgetController& controller, double generation_ms, double full_ms) {
  for (int i = 0; i < 50; ++i) {
    controller.took_generation(generation_ms);
    controller.took_narrowing(500, 0.1);
    controller.took_features(kFull, 500, full_ms / 2);
    controller.took_ranking(kFull, 500, full_ms / 2);
    controller.took_features(kDot, 500, 0);
    controller.took_ranking(kDot, 500, 0.05);
    controller.took_selection(500, 0.1);
    controller.answered(kThirty, 10, generation_ms + full_ms + 0.2, 0.1);
  }
}

std::string refusal_of(const auto& body) {
  try {
    body();
  } catch (const Overloaded& refusal) {
    return refusal.argument();
  }
  return "";
}

}  // namespace

TEST_CASE("with time enough every request is answered in full") {
  Service service(kThirty);
  const auto counts = service.run(20, 60);
  EXPECT_EQ(counts.refused, 0);
  EXPECT(counts.rate(counts.kept) > 0.99);
  EXPECT(counts.rate(counts.full) > 0.98);
}

TEST_CASE(
    "the percentile is held from idle to far beyond capacity, by less quality, then refusals") {
  // Answered in full the service manages some 190 requests a second, at the least quality some 850.
  double full_before = 1;
  for (const double rate : {100.0, 250.0, 500.0, 1700.0}) {
    Service service(kThirty);
    service.run(5, rate);
    const auto counts = service.run(30, rate);
    EXPECT(counts.rate(counts.kept) >= 0.985);
    EXPECT(counts.rate(counts.full) <= full_before + 0.01);
    full_before = counts.rate(counts.full);
    if (rate <= 500) EXPECT(counts.refused < 0.01 * counts.offered);
    if (rate == 1700) {
      EXPECT(counts.refused > 0.3 * counts.offered);
      // What is not refused keeps the threads as busy as they can be.
      EXPECT(counts.kept > 0.9 * 30 * 850);
    }
    EXPECT(service.well_told());
    EXPECT(service.lowest_quality() >= QualityControl::kLeast);
  }
}

TEST_CASE("full answers are back within two seconds after an overload") {
  Service service(kThirty);
  service.run(10, 1700);
  service.run(2, 90);
  const auto counts = service.run(10, 90);
  EXPECT_EQ(counts.refused, 0);
  EXPECT(counts.rate(counts.kept) > 0.98);
  EXPECT(counts.rate(counts.full) > 0.95);
}

TEST_CASE("a machine that turns slower is learnt within a second") {
  Service service(kThirty);
  service.run(10, 100);
  service.slow_down(3);
  service.run(1, 100);
  const auto counts = service.run(20, 100);
  EXPECT(counts.rate(counts.kept) >= 0.98);
}

TEST_CASE("nobody is refused where nobody waits, however small the budget") {
  BudgetController controller(2);
  teach(controller, 5, 10);
  const Promise tiny{0.001, 99, 50, 500};
  for (int i = 0; i < 500; ++i) controller.answered(tiny, 5, 5, 0.1);
  EXPECT_EQ(controller.quality(0.001), QualityControl::kLeast);
  EXPECT_EQ(refusal_of([&] { controller.admit(tiny, {0, 2}); }), "");
  EXPECT_EQ(refusal_of([&] { controller.check_in_time(tiny, 3, {0, 2}); }), "");
  EXPECT_EQ(refusal_of([&] { controller.admit(tiny, {1, 2}); }), "budgetMs");
  EXPECT_EQ(refusal_of([&] { controller.check_in_time(tiny, 3, {1, 2}); }), "budgetMs");
}

TEST_CASE("a queue refuses who could not be in time behind it, at the least quality") {
  BudgetController controller(2);
  teach(controller, 5, 100);
  // Some 5.5 ms each at the least, so that eight are in front of two threads for 22 ms.
  EXPECT_EQ(refusal_of([&] { controller.admit(kThirty, {6, 2}); }), "");
  EXPECT_EQ(refusal_of([&] { controller.admit(kThirty, {10, 2}); }), "budgetMs");
  EXPECT_EQ(refusal_of([&] { controller.admit({300, 99, 50, 500}, {10, 2}); }), "");
  const double none = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal_of([&] { controller.admit({none, 99, 50, 500}, {100'000, 2}); }), "");
}

TEST_CASE("what was learnt of one budget is not held against a far larger one") {
  BudgetController controller(2);
  for (int i = 0; i < 100; ++i) controller.answered({1, 99, 50, 500}, 5, 5, 0.1);
  EXPECT_EQ(controller.quality(1), QualityControl::kLeast);
  EXPECT_EQ(controller.quality(1000), 1.0);
}

TEST_CASE("tiers give way in order, and candidates before tiers") {
  BudgetController controller(2);
  teach(controller, 5, 20);
  const auto choose = [&](double left) { return controller.choose(kTiers, 500, 125, left); };
  EXPECT(choose(30).tier == kFull);
  EXPECT_EQ(choose(30).ranked, 500U);
  EXPECT(choose(10).tier == kFull);
  EXPECT_NEAR(static_cast<double>(choose(10).ranked), 250, 15);
  EXPECT(choose(3).tier == kDot);
  EXPECT_EQ(choose(3).ranked, 500U);
  EXPECT(!choose(0.001).tier.has_value());
  EXPECT(!choose(-1).tier.has_value());
}

TEST_CASE("at least twice the slate is kept and ranked") {
  EXPECT_EQ(BudgetController::fewest_ranked({30, 99, 50, 500}, 500), 125U);
  EXPECT_EQ(BudgetController::fewest_ranked({30, 99, 100, 500}, 500), 200U);
  EXPECT_EQ(BudgetController::fewest_ranked({30, 99, 100, 500}, 60), 60U);
  BudgetController controller(2);
  teach(controller, 5, 20);
  EXPECT_EQ(controller.keep(kThirty, 20), 500U);
  EXPECT_EQ(controller.keep(kThirty, -5), 125U);
}

TEST_CASE("requests retrieve together as far as the first of them is in time") {
  BudgetController controller(2);
  teach(controller, 1, 5);
  for (int i = 0; i < 60; ++i) {
    controller.took_scan(1, 4);
    controller.took_scan(4, 10);
  }
  // Two milliseconds for each beside the first.
  EXPECT_EQ(controller.together(kThirty, 0, {8, 2}), 4U);
  EXPECT_EQ(controller.together(kThirty, 0, {100, 2}), 13U);
  EXPECT_EQ(controller.together(kThirty, 20, {100, 2}), 3U);
  EXPECT_EQ(controller.together(kThirty, 29, {100, 2}), 1U);
  EXPECT_EQ(controller.together(kThirty, 0, {1, 2}), 1U);
  const double none = std::numeric_limits<double>::infinity();
  EXPECT_EQ(controller.together({none, 99, 50, 500}, 0, {100, 2}), 16U);
}

TEST_CASE("times that are none leave a controller as it was") {
  BudgetController controller(2);
  teach(controller, 5, 20);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto before = controller.choose(kTiers, 500, 125, 10);
  controller.took_generation(nan);
  controller.took_narrowing(500, -1);
  controller.took_features(kFull, 500, nan);
  controller.took_ranking(kFull, 500, std::numeric_limits<double>::infinity());
  controller.answered(kThirty, nan, nan, nan);
  const auto after = controller.choose(kTiers, 500, 125, 10);
  EXPECT_EQ(after.ranked, before.ranked);
  EXPECT_EQ(controller.quality(30), 1.0);
  EXPECT(!controller.choose(kTiers, 500, 125, nan).tier.has_value());
  EXPECT(std::isfinite(controller.end_ms(kThirty, 1, {0, 0})));
}

TEST_CASE("a controller goes on from what another has learnt, and takes the new tier for a guess") {
  BudgetController before(2);
  teach(before, 5, 20);
  for (int i = 0; i < 40; ++i) before.answered(kThirty, 31, 25, 0.1);
  BudgetController after(2);
  after.go_on_from(before, kFull);
  EXPECT_EQ(after.quality(30), before.quality(30));
  EXPECT(after.quality(30) < 1);
  EXPECT_EQ(after.delivery_ms(), before.delivery_ms());
  for (const double left : {1.0, 3.0, 10.0, 30.0}) {
    const auto expected = before.choose(kTiers, 500, 125, left);
    const auto found = after.choose(kTiers, 500, 125, left);
    EXPECT(found.tier == expected.tier);
    EXPECT_NEAR(static_cast<double>(found.ranked), static_cast<double>(expected.ranked), 1);
    EXPECT_EQ(after.keep(kThirty, left), before.keep(kThirty, left));
  }
  // The new ranker turns out to be twenty times as fast, and a few requests are enough to tell.
  for (int i = 0; i < 6; ++i) {
    after.took_features(kFull, 500, 0.5);
    after.took_ranking(kFull, 500, 0.5);
    before.took_features(kFull, 500, 0.5);
    before.took_ranking(kFull, 500, 0.5);
  }
  EXPECT(after.choose(kTiers, 500, 125, 10).ranked > before.choose(kTiers, 500, 125, 10).ranked);
}
