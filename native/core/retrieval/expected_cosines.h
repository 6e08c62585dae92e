#pragma once

#include <cstdint>

#include "retrieval/inverted_lists.h"

namespace feedrank {

/// What is known of a query's direction.
struct QueryDirection {
  float inverse_norm = 0;    // 1 / ‖codes‖
  float deviation_sine = 0;  // of the angle between the query and its codes, and its cosine
  float deviation_cosine = 0;
  float effort = 0;
};

/// Where to put it.
struct ExpectedCosines {
  float* cosines = nullptr;        // [list]
  float* reaches = nullptr;        // [list], cosine · relative norm
  float* block_reaches = nullptr;  // [block of kScanBlock lists], their largest reach
};

/// Of each list cos(max(0, angle − effort · radius)), the cosine with the query that its items are
/// expected not to exceed, from the products of the query's codes with the centroids'. `angle` lies
/// between query and centroid, `radius` is the largest between centroid and item: at effort 1 no
/// item exceeds it, and below that few do, as hardly any lies at the rim and towards the query.
void expected_cosines(const InvertedLists& lists, const QueryDirection& query, const int32_t* dots,
                      const ExpectedCosines& out);

}  // namespace feedrank
