#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "catalog/snapshot.h"
#include "features/engagement.h"
#include "retrieval/retriever.h"
#include "runtime/executor.h"
#include "slate/budget_controller.h"
#include "slate/candidate_set.h"
#include "slate/external_result.h"
#include "slate/generators.h"
#include "slate/plan.h"
#include "slate/query.h"
#include "slate/selector.h"
#include "slate/trace.h"

namespace feedrank {

/// One query on its way through a plan. It pins the state of the catalog when it is first run and
/// holds it until it is destroyed, so its candidates stay what they are across external stages.
class Request {
 public:
  /// Where a request stands after `run`.
  enum class State : uint8_t {
    kGenerators,  // waits for GeneratedItems
    kFilter,      // waits for KeptCandidates of `waiting_index`
    kEnrichers,   // waits for EnrichedFeatures
    kRanker,      // waits for RankedScores
    kSelector,    // waits for SelectedOrder
    kDone,
  };

  /// Without a controller a budget only ends the request: what comes after it is skipped.
  Request(std::shared_ptr<Engagement> engagement, std::shared_ptr<const Plan> plan,
          std::shared_ptr<const Retriever> retriever, Query query, Settings settings,
          std::shared_ptr<BudgetController> controller = nullptr);

  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// Runs native stages up to the next external one, or to the end. `result` answers the stage that
  /// the request waited for; monostate the first time. `cancelled` is asked between stages and
  /// makes it throw ABORTED. Idle threads of `helpers` take part of the work. Throws
  /// OVERLOADED where it has waited for so long that it cannot be answered in time.
  State run(ExternalResult result, const std::function<bool()>& cancelled,
            Executor* helpers = nullptr);

  const std::shared_ptr<BudgetController>& controller() const { return controller_; }
  Engagement& engagement() const { return *engagement_; }
  const Retriever& retriever() const { return *retriever_; }

  /// For requests that retrieve in one pass, before they are run: the state that this one sees
  /// then, and what was found for one of its decayed-dot generators, in `ms` for all of them.
  void pin(std::shared_ptr<const Snapshot> snapshot);
  /// What to find; nothing where the generator would not scan.
  std::optional<DecayedDotNeed> need_of(uint32_t generator) const;
  void take_found(uint32_t generator, std::vector<Retrieved> items, double ms);
  /// Whether it has waited for so long that it will be refused.
  bool too_late(const Queue& queue) const;

  /// What its settings promise.
  Promise promise() const;
  /// To be called once when the request is done and its answer is on its way to the caller: tells
  /// the controller whether the promise was kept.
  void delivered();
  /// Milliseconds since it was submitted.
  double elapsed_ms() const;

  /// Instead of running it: whether an earlier answer may be given to it. All of its items are
  /// still there, and native filters let them pass; then it counts as shown. `scores` are the
  /// ranker's, or none. To be called once.
  bool repeats(std::span<const ItemId> ids, std::span<const double> scores);

  /// Once the answer is on its way: scores the same candidates with the ranker that the settings
  /// name as the shadow, if another request would find a thread meanwhile, and writes its log.
  /// Changes nothing of the request and throws nothing.
  void score_in_shadow(const Executor& executor) const;

  uint32_t waiting_index() const { return cursor_; }
  const Plan& plan() const { return *plan_; }
  const Snapshot& snapshot() const { return *snapshot_; }
  const CandidateSet& candidates() const { return candidates_; }
  const Trace& trace() const { return trace_; }
  /// The columns of native features that have been computed; the others hold 0.
  const std::vector<uint32_t>& ready_columns() const { return ready_columns_; }

  /// Positions of the chosen candidates, best first, once the request is done.
  const std::vector<uint32_t>& order() const { return order_; }
  /// What weighed beside the score, by name and by candidate; empty for a selector that has no such
  /// thing, and for a given list.
  const std::vector<std::string>& penalty_names() const { return selection_.penalty_names; }
  const std::vector<double>& penalties() const { return selection_.penalties; }

 private:
  using Clock = std::chrono::steady_clock;

  /// Times a stage from its construction and writes its line of the trace at the end.
  class Timed;

  void start(Executor* helpers);
  State run_stages(const std::function<bool()>& cancelled);
  bool over_budget() const;
  /// Sets when this request is to be ready, with `helpers` as busy as they are.
  void plan_spending(const Executor* helpers);
  uint32_t candidates_to_keep() const;
  /// Chooses what ranks the candidates, and drops those that it has no time for.
  void choose_tier();
  bool knows_reader_in(uint32_t space) const;
  /// The ranker of the chosen tier.
  const RankerStage& ranking_stage() const;
  void tell_tier(Timed& timed) const;
  /// Milliseconds since the last lap, or since the request was first run.
  double lap_ms();
  /// A ranker that fails closed is run, and its features assembled, however late it is.
  bool may_skip_ranking() const;

  /// Adds the user tower's vector to the query's own, where the query gives none for its space.
  void encode_reader();
  void generate(Executor* helpers);
  void take_list();
  struct Generated {
    std::vector<Retrieved> items;
    std::string skipped;
  };
  /// Runs one native generator; several at a time, so it touches nothing that they share.
  Generated generated(uint32_t generator, Executor* helpers) const;
  void merge(const GeneratedItems& external);
  void apply(const KeptCandidates& kept);
  void apply(const EnrichedFeatures& enriched);
  void apply(const RankedScores& ranked);
  void apply(const SelectedOrder& selected);
  void filter(const FilterStage& stage);
  std::vector<uint8_t> kept_by(const FilterStage& stage) const;
  void enrich();
  void fill_features(const FeatureList& list, float* out, size_t stride) const;
  void fill_smaller(const SmallerRanker& smaller);
  void rank();
  void took_ranking();
  /// The candidates' features as the shadow's model reads them, row-major.
  std::vector<float> shadow_rows(const SmallerRanker& shadow) const;
  std::vector<double> shadow_scores(const SmallerRanker& shadow,
                                    const std::vector<float>& rows) const;
  void select();
  /// The native selection, without what was removed.
  void take_best(Timed& timed);
  void drop_removed();
  /// Tells the monitor of slices what the answer shows to whom.
  void watch_slate();
  /// Keeps, for an explanation, where the candidates stand after a stage.
  void note_positions(const std::string& stage);

  FeatureAssembler::Inputs feature_inputs() const;

  const std::shared_ptr<Engagement> engagement_;
  const std::shared_ptr<const Plan> plan_;
  const std::shared_ptr<const Retriever> retriever_;
  const Query query_;
  const Settings settings_;
  const std::shared_ptr<BudgetController> controller_;
  const Clock::time_point created_ = Clock::now();

  std::shared_ptr<const Snapshot> snapshot_;
  struct FoundTogether {
    std::vector<Retrieved> items;
    double ms = 0;
  };
  std::unordered_map<uint32_t, FoundTogether> found_together_;  // by generator
  double scan_ms_ = 0;                                          // of its own decayed-dot generators
  bool started_ = false;
  std::vector<UserVectors> user_vectors_;  // the query's, and what the user tower made
  std::string encoder_failure_;            // why it made none
  State next_ = State::kGenerators;        // the next stage, native or external
  uint32_t cursor_ = 0;                    // the next filter
  bool answered_ = false;                  // the external stage at `next_` has its answer
  std::vector<uint32_t> ready_columns_;
  bool features_ready_ = false;                    // those of the chosen tier
  std::vector<std::vector<Retrieved>> generated_;  // [generator]
  CandidateSet candidates_;
  std::vector<uint32_t> order_;
  Executor* helpers_ = nullptr;  // of the run at hand
  SelectionResult selection_;    // its penalties; the rest has gone to the order and the trace
  Trace trace_;

  Clock::time_point lap_;                // when the stage before ended
  Clock::time_point finished_;           // when the native part was done
  double end_ms_ = Settings::kNoBudget;  // since submission: when it plans to be ready
  double features_ms_ = 0;
  size_t merged_ = 0;    // candidates that generators found
  size_t unranked_ = 0;  // candidates that were dropped before ranking
  /// A tier of the plan; none where nothing fits, and the merged order stands.
  std::optional<uint32_t> tier_ = 0;
  std::optional<RankerStage> last_resort_;
  bool ranked_ = false;  // by the chosen tier
};

}  // namespace feedrank
