#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "catalog/item_id.h"
#include "features/feature_assembler.h"
#include "features/segments.h"
#include "retrieval/decay.h"
#include "slate/slate_limits.h"

namespace feedrank {

/// Authors and topics that a query names; names that no item has are of no consequence.
struct AuthorsAndTopics {
  std::vector<std::string> authors;
  std::vector<std::string> topics;
};

/// One request.
struct Query {
  std::optional<UserId> user;
  std::vector<UserVectors> user_vectors;
  int64_t now = 0;
  uint32_t limit = 50;
  std::vector<double> context;  // in the order of the plan's context features; NaN where missing
  SegmentCodes segments = kNoSegments;
  std::optional<ItemId> current_item;  // on whose page the slate will stand
  AuthorsAndTopics follows;
  AuthorsAndTopics blocked;
  AuthorsAndTopics muted;
  std::vector<ItemId> seen;
  /// `rerank`: the items to order, instead of what generators find.
  std::optional<std::vector<ItemId>> list;
  /// Whether the slate is to say where each item stood along the way.
  bool explain = false;
  /// Whether nobody is shown the slate yet, so that it gives no exposure.
  bool ahead = false;
};

/// The share of a slate's position-discounted exposure that one group of items is to have.
struct ExposureTarget {
  uint32_t label = 0;    // of the catalog's labels
  std::string value;     // of that label; its items are the group
  double share = 0;      // in [0, 1]
  double tolerance = 0;  // of the share, either way
};

/// How much complaint an item may draw, in decayed counts at the longest half-life.
struct ComplaintLimits {
  static constexpr double kNone = std::numeric_limits<double>::infinity();

  double reports = kNone;
  double report_rate = kNone;  // reports an impression, smoothed
  double hide_rate = kNone;

  bool any() const { return reports < kNone || report_rate < kNone || hide_rate < kNone; }
};

/// The tunables of a request, after profile and request have been merged.
struct Settings {
  static constexpr double kNoBudget = std::numeric_limits<double>::infinity();

  double tau_ms = 0;
  NegativeDots negatives = NegativeDots::kDecay;
  std::optional<double> effort{};  // of approximate retrieval; none where it is to be exact
  uint32_t max_candidates = 500;
  std::vector<uint32_t> quotas;  // one a generator
  double max_age_ms = std::numeric_limits<double>::infinity();
  ComplaintLimits complaints;
  uint32_t seen_after_impressions = 0;  // 0: impressions alone never make an item seen
  SlateLimits limits;
  double diversity = 0;  // kMmr, kDpp: weight in [0, 1]
  std::vector<ExposureTarget> exposure;
  std::vector<double> head_weights;  // kModel: one a head
  double budget_ms = kNoBudget;
  double budget_percentile = 99;        // of requests that are to be answered within it
  std::optional<uint32_t> smaller;      // of the plan's smaller rankers
  std::vector<double> smaller_weights;  // of its heads
  std::optional<uint32_t> shadow;       // of the plan's smaller rankers, to look on
  std::vector<double> shadow_weights;   // of its heads
};

}  // namespace feedrank
