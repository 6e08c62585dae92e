#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "catalog/snapshot.h"
#include "retrieval/scan_merge.h"
#include "retrieval/scan_segment.h"
#include "retrieval/scan_view.h"

namespace feedrank {

/// Keeps one embedding space's items in such an order that a scan meets the newest first. What is
/// written goes into a tail, from there into a small segment, and segments of like size are merged
/// into larger ones (a log-structured merge tree, O'Neil et al. 1996), so that an item is moved a
/// few times whatever the order in which publish times arrive.
///
/// For writers alone, one at a time. Readers hold a view, which stays as it is.
class ScanIndex {
 public:
  ScanIndex(uint32_t space, uint32_t dimensions);

  ScanIndex(const ScanIndex&) = delete;
  ScanIndex& operator=(const ScanIndex&) = delete;

  /// Takes in rows that have been filled but are not visible yet. Rows that were other items'
  /// before are theirs no more. Where it throws nothing has been taken in.
  void insert(const ChunkList& chunks, std::span<const Row> rows, uint32_t row_count);

  /// A row will be invisible from an epoch on that is not yet published.
  void note_removed(Row row);

  struct Tidied {
    bool changed = false;  // what `view` gives
    bool more = false;     // is left to do
  };

  /// Goes on with merging segments where there are too many, and with dropping removed items where
  /// they are many, for about `moves` items. Holds up nobody but the writer.
  Tidied tidy(uint32_t moves);

  /// Of a merge that has not ended, which no view holds.
  size_t merging_bytes() const { return merge_ == nullptr ? 0 : merge_->bytes(); }

  ScanView view() const { return {list_, tail_, tail_rows_}; }

 private:
  static constexpr uint32_t kNowhere = UINT32_MAX;
  static constexpr uint32_t kInTail = UINT32_MAX - 1;

  struct Place {
    uint32_t segment = kNowhere;  // position in segments_
    uint32_t position = 0;
  };
  using Segments = ScanMerge::Segments;

  bool has_vector(const ChunkList& chunks, Row row) const;
  void forget(Row row);
  Segments coded(const ChunkList& chunks, std::span<const Row> rows) const;
  Segments next_to_merge() const;
  /// Gives a segment a number, which is its position in segments_; needs room there.
  uint32_t number(std::shared_ptr<ScanSegment> segment);
  void place(const ScanSegment& segment, uint32_t number, uint32_t begin);
  void begin_merge(Segments sources);
  void end_merge();
  /// The list with other segments in the place of some.
  std::shared_ptr<const ScanList> list_with(const Segments& segments,
                                            const Segments& in_place_of) const;

  const uint32_t space_;
  const uint32_t dimensions_;
  std::vector<Place> places_;  // [row]
  Segments segments_;          // null where a number is free
  std::shared_ptr<const ScanList> list_;
  std::unique_ptr<ScanMerge> merge_;
  uint32_t merge_number_ = kNowhere;  // of what it makes
  std::shared_ptr<ScanTail> tail_;
  uint32_t tail_rows_ = 0;
  std::bitset<ScanTail::kRows> tail_removed_;
};

}  // namespace feedrank
