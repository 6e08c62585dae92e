#include <algorithm>
#include <cmath>

#include "slate/overloaded.h"
#include "slate/request.h"
#include "slate/timed_stage.h"

// How a request spends its budget.

namespace feedrank {
namespace {

Queue queue_of(const Executor* executor) {
  if (executor == nullptr) return {};
  return {executor->queued(), executor->threads()};
}

}  // namespace

Promise Request::promise() const {
  const size_t given = query_.list ? query_.list->size() : settings_.max_candidates;
  return {settings_.budget_ms, settings_.budget_percentile, query_.limit,
          static_cast<uint32_t>(given)};
}

void Request::plan_spending(const Executor* helpers) {
  if (!controller_) return;
  const double elapsed = elapsed_ms();
  const Queue queue = queue_of(helpers);
  trace_.budget.waiting = static_cast<uint32_t>(queue.waiting);
  if (!std::isfinite(settings_.budget_ms)) return;
  controller_->check_in_time(promise(), elapsed, queue);
  trace_.budget.quality = controller_->quality(settings_.budget_ms);
  end_ms_ = controller_->end_ms(promise(), elapsed, queue);
}

bool Request::too_late(const Queue& queue) const {
  if (!controller_) return false;
  try {
    controller_->check_in_time(promise(), elapsed_ms(), queue);
    return false;
  } catch (const Overloaded&) {
    return true;
  }
}

uint32_t Request::candidates_to_keep() const {
  if (!std::isfinite(end_ms_)) return settings_.max_candidates;
  return controller_->keep(promise(), end_ms_ - elapsed_ms());
}

bool Request::knows_reader_in(uint32_t space) const {
  return std::any_of(user_vectors_.begin(), user_vectors_.end(),
                     [space](const UserVectors& user) { return user.space == space; });
}

void Request::choose_tier() {
  const size_t found = candidates_.size();
  const double elapsed = elapsed_ms();
  std::vector<uint32_t> tiers{0};
  if (may_skip_ranking()) {
    if (settings_.smaller) tiers.push_back(1 + *settings_.smaller);
    last_resort_ = plan_->last_resort();
    if (last_resort_ && knows_reader_in(last_resort_->space)) {
      tiers.push_back(plan_->tier_count() - 1);
    }
  }
  // A given list is ordered, not cut: its statistics and its length are the caller's.
  const size_t fewest = query_.list ? found : BudgetController::fewest_ranked(promise(), found);
  BudgetController::Choice choice = controller_->choose(tiers, found, fewest, end_ms_ - elapsed);
  // A ranker that must be run, and one that is not native and has a deadline of its own.
  if (!may_skip_ranking() || plan_->ranker.kind == RankerStage::Kind::kExternal) {
    choice.tier = choice.tier.value_or(0);
  }
  tier_ = choice.tier;
  // The merged order costs nothing a candidate.
  const size_t kept = tier_ ? choice.ranked : found;
  unranked_ = found - kept;
  if (unranked_ > 0) candidates_.keep_first(kept);
  trace_.budget.predicted_ms = elapsed + choice.ms + controller_->delivery_ms();
}

const RankerStage& Request::ranking_stage() const {
  if (!tier_ || *tier_ == 0) return plan_->ranker;
  return *tier_ <= plan_->smaller.size() ? plan_->smaller[*tier_ - 1].stage : *last_resort_;
}

void Request::tell_tier(Timed& timed) const {
  if (unranked_ > 0) timed.fall_short("budget: fewer ranked");
  if (!tier_ || *tier_ == 0) return;
  timed.fall_short(*tier_ <= plan_->smaller.size() ? "budget: smaller bundle"
                                                   : "budget: decayed dot");
}

void Request::took_ranking() {
  const double ms = lap_ms();
  BudgetTrace& budget = trace_.budget;
  budget.ranked = ranked_ ? static_cast<uint32_t>(candidates_.size()) : 0;
  if (!ranked_) {
    budget.tier = "merged-order";
    return;
  }
  if (*tier_ > 0) budget.tier = *tier_ <= plan_->smaller.size() ? "smaller" : "decayed-dot";
  controller_->took_features(*tier_, candidates_.size(), features_ms_);
  controller_->took_ranking(*tier_, candidates_.size(), ms);
}

void Request::delivered() {
  if (!controller_) return;
  const double delivery =
      std::chrono::duration<double, std::milli>(Clock::now() - finished_).count();
  controller_->answered(promise(), elapsed_ms(), trace_.native_ms, delivery);
}

}  // namespace feedrank
