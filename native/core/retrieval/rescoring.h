#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "retrieval/retriever.h"

namespace feedrank {

/// Scores the shortlisted rows of a query in double precision and takes the k best of them in
/// order: what makes every retriever's answer the same, however it came by its shortlist.
std::vector<Retrieved> rescored(const Snapshot& snapshot, uint32_t space,
                                const RetrievalQuery& query, std::span<const Row> shortlist);

}  // namespace feedrank
