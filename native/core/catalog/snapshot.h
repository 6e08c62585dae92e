#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "catalog/chunk.h"
#include "retrieval/scan_view.h"

namespace feedrank {

class Catalog;

using ChunkList = std::vector<std::shared_ptr<Chunk>>;

/// One consistent state of the catalog, held by a request. While it lives, no row and no slot that
/// it can see is reused. It costs a mutex held for nanoseconds to take and to give back.
class Snapshot {
 public:
  Snapshot(std::shared_ptr<const Catalog> catalog, uint64_t epoch,
           std::shared_ptr<const ChunkList> chunks, uint32_t row_count,
           std::shared_ptr<const ScanViews> scan_views)
      : catalog_(std::move(catalog)),
        epoch_(epoch),
        chunks_(std::move(chunks)),
        row_count_(row_count),
        scan_views_(std::move(scan_views)) {}
  ~Snapshot();

  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const Catalog& catalog() const { return *catalog_; }
  uint64_t epoch() const { return epoch_; }

  /// Rows at or beyond this one cannot be visible.
  uint32_t row_count() const { return row_count_; }
  uint32_t chunk_count() const { return (row_count_ + Chunk::kRows - 1) / Chunk::kRows; }
  const Chunk& chunk(uint32_t index) const { return *(*chunks_)[index]; }
  const Chunk& chunk_of(Row row) const { return chunk(row / Chunk::kRows); }
  static uint32_t offset_of(Row row) { return row % Chunk::kRows; }

  /// The visible items of a space in the order of a scan, some removed ones among them.
  const ScanView& scan_view(uint32_t space) const { return (*scan_views_)[space]; }

  bool visible(Row row) const {
    return row < row_count_ && chunk_of(row).visible(offset_of(row), epoch_);
  }
  const ItemId& id(Row row) const { return chunk_of(row).id[offset_of(row)]; }
  int64_t publish_time(Row row) const { return chunk_of(row).publish_time[offset_of(row)]; }
  Slot slot(Row row) const { return chunk_of(row).slot[offset_of(row)]; }
  void prefetch_slot(Row row) const { prefetch(&chunk_of(row).slot[offset_of(row)]); }

  /// Calls `visit(row)` for every visible row, in order of rows.
  template <typename Visit>
  void for_each_visible(Visit&& visit) const {
    for (uint32_t c = 0; c < chunk_count(); ++c) {
      const Chunk& rows = chunk(c);
      const uint32_t first = c * Chunk::kRows;
      const uint32_t count = std::min(Chunk::kRows, row_count_ - first);
      for (uint32_t i = 0; i < count; ++i) {
        if (rows.visible(i, epoch_)) visit(first + i);
      }
    }
  }

  /// The order of equal scores, by contract: newer first, then smaller id.
  bool before_on_tie(Row a, Row b) const {
    const int64_t at = publish_time(a);
    const int64_t bt = publish_time(b);
    return at != bt ? at > bt : id(a) < id(b);
  }

 private:
  std::shared_ptr<const Catalog> catalog_;
  uint64_t epoch_;
  std::shared_ptr<const ChunkList> chunks_;
  uint32_t row_count_;
  std::shared_ptr<const ScanViews> scan_views_;
};

}  // namespace feedrank
