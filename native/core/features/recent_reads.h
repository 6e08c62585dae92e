#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "catalog/snapshot.h"
#include "features/engagement.h"

namespace feedrank {

/// One read as a user tower sees it.
struct RecentRead {
  Row row = kNoRow;
  float hours = 0;  // how long ago it was, at least 0
};

/// Whose reads, and as of when.
struct RecentReadsQuery {
  const std::optional<UserId>& user;
  const std::optional<ItemId>& page;  // the item that the reader is on: read at this moment
  int64_t now = 0;
  uint32_t most = 0;
  std::optional<uint32_t> space{};  // only reads of items with a vector in it
};

/// A reader's last reads of items that the catalog still has, newest first and each item once. The
/// one code path for serving and training.
std::vector<RecentRead> recent_reads(const Snapshot& snapshot, const Engagement& engagement,
                                     const RecentReadsQuery& query);

}  // namespace feedrank
