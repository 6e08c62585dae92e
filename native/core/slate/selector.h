#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "catalog/snapshot.h"
#include "slate/candidate_set.h"
#include "slate/plan.h"
#include "slate/query.h"

namespace feedrank {

/// Positions of all candidates by score, best first; equal scores newer first, then smaller id.
std::vector<uint32_t> order_by_score(const Snapshot& snapshot, const CandidateSet& candidates);
std::vector<uint32_t> order_by_score(const Snapshot& snapshot, std::span<const Row> rows,
                                     std::span<const double> scores);

/// A slate, and what weighed beside the score when it was made.
struct SelectionResult {
  std::vector<uint32_t> order;  // positions of candidates
  /// What stood beside an item's relevance (its score, min-max normalised to [0, 1] over the
  /// candidates, times 1 − w) when it was taken. `diversity`: −w · the greatest similarity to the
  /// items before it (MMR), or w · the logarithm of what these leave of it (DPP). `exposure`: what
  /// the group was raised by so that it got its share.
  std::vector<std::string> penalty_names;
  std::vector<double> penalties;        // [candidate][penalty]; 0 for those that were not taken
  std::vector<std::string> notes;       // of the trace
  std::vector<std::string> shortfalls;  // targets that were not met
};

/// Chooses and orders a slate from the candidates at `order`, which are in order of score: at most
/// `limit`, within the settings' caps and spacing, diversified as the stage says, with the
/// exposure that the settings want. An external stage, and one that `out_of_time`, is answered by
/// score.
SelectionResult select_slate(const SelectorStage& stage, const Settings& settings, uint32_t limit,
                             const Snapshot& snapshot, const CandidateSet& candidates,
                             std::vector<uint32_t> order, const std::function<bool()>& out_of_time);

}  // namespace feedrank
