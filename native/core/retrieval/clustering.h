#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "retrieval/inverted_lists_builder.h"

namespace feedrank {

class Catalog;

/// Makes inverted lists of a catalog's segments, one after another, where spaces are to have them.
/// Holds up neither requests nor writes: it reads what does not change any more.
class Clustering {
 public:
  /// Works for about a millisecond; says whether there is more to do. What is written meanwhile is
  /// more to do. May be called by any thread, one at a time gets on.
  bool step(const Catalog& catalog);

 private:
  std::mutex mutex_;
  std::unique_ptr<InvertedListsBuilder> builder_;
  uint32_t space_ = 0;                 // of the segment that is worked on
  std::vector<KnownCentroids> known_;  // [space], what was learned last
};

}  // namespace feedrank
