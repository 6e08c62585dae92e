#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "catalog/snapshot.h"
#include "features/engagement.h"
#include "slate/query.h"

namespace feedrank {

// A filter answers with one entry a candidate: 1 keeps it, 0 drops it.

/// Drops what the query lists as seen, what the user has read, hidden or reported, and what the
/// user was shown as often as the settings say.
std::vector<uint8_t> keep_unseen(const Snapshot& snapshot, const Engagement& engagement,
                                 const Query& query, const Settings& settings,
                                 std::span<const Row> rows);

/// Drops items older than `max_age_ms` at `now`.
std::vector<uint8_t> keep_young(const Snapshot& snapshot, int64_t now, double max_age_ms,
                                std::span<const Row> rows);

/// Drops items by one of the authors or of one of the topics.
std::vector<uint8_t> keep_others(const Snapshot& snapshot, const AuthorsAndTopics& names,
                                 std::span<const Row> rows);

/// Impressions without any complaint that every item is credited with: a rate is
/// complaints / (impressions + kComplaintPrior), so that an item which hardly anybody has seen is
/// not dropped for its first report.
inline constexpr double kComplaintPrior = 100.0;

/// Drops items that have drawn more complaint than the limits allow.
std::vector<uint8_t> keep_healthy(const Snapshot& snapshot, const Engagement& engagement,
                                  int64_t now, const ComplaintLimits& limits,
                                  std::span<const Row> rows);

}  // namespace feedrank
