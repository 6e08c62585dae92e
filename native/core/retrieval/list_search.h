#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "retrieval/inverted_lists.h"
#include "retrieval/scan_pass.h"

namespace feedrank {

/// A segment and its lists, as a search found them.
struct ListedSegment {
  const ScanSegment* segment = nullptr;
  const InvertedLists* lists = nullptr;
};

/// One query's search of inverted lists, for a pass of that query alone and one thread.
class ListSearch {
 public:
  ListSearch(ScanPass& pass, ScanWorker& worker, std::span<const ListedSegment> segments);

  /// Offers the worker what may be among the best.
  void run();

 private:
  /// One list of one segment.
  struct Entry {
    double reach = 0;  // most that its items are expected to score
    float cosine = 0;  // most that an item's cosine with the query is expected to be
    uint32_t segment = 0;
    uint32_t list = 0;
  };

  /// A unit that may hold one of the best, as far as is known; none at the end.
  struct Stop {
    const ListedSegment* from = nullptr;
    const InvertedLists::Unit* unit = nullptr;
    uint32_t blocks = 0;  // of the unit, those that are new enough
    double weight = 0;    // of its newest item
  };
  /// Where to look for it.
  struct Cursor {
    std::span<const Entry> entries;
    size_t entry = 0;
    uint32_t unit = 0;   // of the entry's list
    int64_t oldest = 0;  // publish time that may reach
  };

  void expect_of(uint32_t segment);
  std::vector<Entry> likeliest(uint32_t segment, size_t count) const;
  /// Adds what time has left of the entries, and puts the best first.
  void order(std::vector<Entry>& entries) const;
  void visit(std::span<const Entry> entries);
  Stop next(Cursor& cursor) const;
  /// Asks for a unit's memory before it is read.
  static void fetch(const Stop& stop);
  void take(const ListedSegment& from, const InvertedLists::Unit& unit);

  ScanPass& pass_;
  ScanWorker& worker_;
  const ScanQuery& query_;
  const double effort_;
  std::span<const ListedSegment> segments_;
  std::vector<uint32_t> first_;  // of each segment's lists in cosines_
  std::vector<float> cosines_;   // [list], as of Entry
  std::vector<float> reaches_;   // [list], cosine · relative norm
  std::vector<float> block_reaches_;
  const Centroids* compared_ = nullptr;  // whose products the next hold
  ScanLane centroid_lane_;
  std::vector<uint32_t> centroid_positions_;
  std::vector<int32_t> centroid_dots_;
  ScanLane lane_;
  std::array<uint32_t, InvertedLists::kUnit + kScanBlock> positions_;
  std::array<int32_t, InvertedLists::kUnit + kScanBlock> dots_;
};

}  // namespace feedrank
