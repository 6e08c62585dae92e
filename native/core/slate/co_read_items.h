#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "catalog/snapshot.h"
#include "features/engagement.h"
#include "retrieval/retriever.h"
#include "slate/query.h"

namespace feedrank {

/// The `k` items that are most alike, by who reads them, to the reader's last reads (kCoReadReads)
/// and to the item on whose page the slate will stand: the sum of their similarities (co_read.h).
/// What the reader has read and the page's item are not among them. None at all where there is
/// nothing to be alike to.
std::optional<std::vector<Retrieved>> co_read_items(const Snapshot& snapshot,
                                                    const Engagement& engagement,
                                                    const Query& query, uint32_t k);

}  // namespace feedrank
