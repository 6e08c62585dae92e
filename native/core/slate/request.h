#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "catalog/snapshot.h"
#include "features/engagement.h"
#include "retrieval/retriever.h"
#include "runtime/executor.h"
#include "slate/candidate_set.h"
#include "slate/external_result.h"
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

  Request(std::shared_ptr<Engagement> engagement, std::shared_ptr<const Plan> plan,
          std::shared_ptr<const Retriever> retriever, Query query, Settings settings);

  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// Runs native stages up to the next external one, or to the end. `result` answers the stage that
  /// the request waited for; monostate the first time. `cancelled` is asked between stages and
  /// makes it throw ABORTED. Idle threads of `helpers` run generators beside this one.
  State run(ExternalResult result, const std::function<bool()>& cancelled,
            Executor* helpers = nullptr);

  uint32_t waiting_index() const { return cursor_; }
  const Plan& plan() const { return *plan_; }
  const Snapshot& snapshot() const { return *snapshot_; }
  const CandidateSet& candidates() const { return candidates_; }
  const Trace& trace() const { return trace_; }
  /// Whether the plan's native features have been computed; otherwise their columns hold 0.
  bool features_ready() const { return features_ready_; }

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
  void rank();
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
  const Clock::time_point created_ = Clock::now();

  std::unique_ptr<const Snapshot> snapshot_;
  std::vector<UserVectors> user_vectors_;  // the query's, and what the user tower made
  std::string encoder_failure_;            // why it made none
  State next_ = State::kGenerators;        // the next stage, native or external
  uint32_t cursor_ = 0;                    // the next filter
  bool answered_ = false;                  // the external stage at `next_` has its answer
  bool features_ready_ = false;
  std::vector<std::vector<Retrieved>> generated_;  // [generator]
  CandidateSet candidates_;
  std::vector<uint32_t> order_;
  SelectionResult selection_;  // its penalties; the rest has gone to the order and the trace
  Trace trace_;
};

}  // namespace feedrank
