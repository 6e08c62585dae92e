#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "slate/linear_cost.h"
#include "slate/quality_control.h"

namespace feedrank {

/// What is promised for a request.
struct Promise {
  double budget_ms = 0;  // from its submission to its answer
  double percentile = 99;
  uint32_t limit = 50;        // items of the slate
  uint32_t candidates = 500;  // most to be kept after merging
};

/// Who is in front.
struct Queue {
  size_t waiting = 0;
  uint32_t threads = 1;
};

/// Spends the budgets of the requests of one plan and profile. It learns what each stage costs,
/// predicts what a request will take, and from that chooses how many candidates are kept, which
/// tier ranks them and how many of them, so that the promised percentile of requests is answered
/// within the budget; and it refuses requests that the queue alone would make late.
///
/// A request plans to end within q · min(left of its budget, budget / (1 + waiting / threads)),
/// where q is the quality factor: what is left is its own, and if all those who wait spend as much
/// as it does, the last of them is still in time. Thread-safe; knows no clock.
class BudgetController {
 public:
  /// `tiers` rank candidates in different ways, the best and dearest first.
  explicit BudgetController(uint32_t tiers) : tiers_(tiers) {}

  BudgetController(const BudgetController&) = delete;
  BudgetController& operator=(const BudgetController&) = delete;

  /// Goes on from what a controller of as many tiers has learnt, whose plan this one's replaces.
  /// What the `changed` tier costs is then a guess: something else ranks it now.
  void go_on_from(const BudgetController& before, uint32_t changed);

  /// Throws Overloaded where somebody waits and not even the least that an answer takes would leave
  /// the request within its budget.
  void admit(const Promise& promise, const Queue& queue) const;
  /// Throws Overloaded for a request that has waited, where others wait behind it and it can no
  /// longer be answered in time: what it would take is theirs.
  void check_in_time(const Promise& promise, double elapsed_ms, const Queue& queue) const;

  /// When, in milliseconds from its submission, the native part of the request is to end.
  double end_ms(const Promise& promise, double elapsed_ms, const Queue& queue) const;
  double quality(double budget_ms) const;

  /// How many candidates to keep after merging so that the cheapest tier can still answer.
  uint32_t keep(const Promise& promise, double left_ms) const;

  struct Choice {
    /// None where no tier fits: candidates then stay in merged order.
    std::optional<uint32_t> tier;
    size_t ranked = 0;  // of the candidates
    double ms = 0;      // expected for features, ranking and selection
  };
  /// Of `tiers`, which are in order of preference, the first that can rank as many of `candidates`
  /// as `fewest` within `left_ms`, and how many it can.
  Choice choose(std::span<const uint32_t> tiers, size_t candidates, size_t fewest, double left_ms);
  /// The fewest candidates worth ranking: twice the slate, or a quarter of the candidates where
  /// that is more.
  static size_t fewest_ranked(const Promise& promise, size_t candidates);

  /// Most requests that retrieve in one pass.
  static constexpr size_t kMostTogether = 16;
  /// How many of `queue.waiting` requests, the first of which has waited for `elapsed_ms`, are to
  /// retrieve in one pass: each thread's share of them, if that lets the first be in time.
  size_t together(const Promise& promise, double elapsed_ms, const Queue& queue) const;

  /// What stages took. `scan` is for the decayed-dot generators of so many requests in one pass,
  /// `generation` for one's other generators, `narrowing` for merging and filters.
  void took_scan(size_t together, double ms);
  void took_generation(double ms);
  void took_narrowing(size_t candidates, double ms);
  void took_features(uint32_t tier, size_t candidates, double ms);
  void took_ranking(uint32_t tier, size_t candidates, double ms);
  void took_selection(size_t candidates, double ms);
  /// A request was answered: `elapsed_ms` after it was submitted, `native_ms` of them on a native
  /// thread, `delivery_ms` on the way back to its caller.
  void answered(const Promise& promise, double elapsed_ms, double native_ms, double delivery_ms);
  double delivery_ms() const;

 private:
  struct Tier {
    LinearCost features;
    LinearCost ranking;
  };

  /// The least that an answer takes on a native thread, but for its scan.
  double least_rest(const Promise& promise) const;
  /// The same with its share of a scan, where so many requests wait.
  double least_work(const Promise& promise, const Queue& queue) const;
  CostLine tier_line(const Tier& tier) const;
  QualityControl& quality_of(double budget_ms);
  const QualityControl& quality_of(double budget_ms) const;

  mutable std::mutex mutex_;
  LinearCost scan_;  // rows: requests beside the first
  LinearCost generation_;
  LinearCost narrowing_;
  std::vector<Tier> tiers_;
  LinearCost selection_;
  LinearCost delivery_;
  LinearCost work_;
  /// One for budgets within a factor of two: what a budget of a millisecond misses says nothing
  /// about one of a second.
  std::array<QualityControl, 32> qualities_;
};

}  // namespace feedrank
