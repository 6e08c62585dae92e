#pragma once

#include <array>
#include <atomic>
#include <compare>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "catalog/item_columns.h"
#include "catalog/item_id.h"
#include "catalog/schema.h"
#include "runtime/aligned_array.h"
#include "runtime/prefetch.h"

namespace feedrank {

/// A place in the catalog. Rows never leave the process and are never stored.
using Row = uint32_t;
inline constexpr Row kNoRow = UINT32_MAX;

/// Stays the same while an item is in the catalog, however often its row changes; per-item state
/// such as counters hangs on it. `generation` tells two items apart that had the slot in turn.
struct Slot {
  uint32_t index = UINT32_MAX;
  uint32_t generation = 0;

  auto operator<=>(const Slot&) const = default;
};

/// A fixed number of rows, one array a column. Chunks never move, and a row is written only while
/// no request can see it: what a request sees is immutable.
class Chunk {
 public:
  static constexpr uint32_t kRows = 8192;
  static constexpr uint32_t kGroupRows = 128;
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  explicit Chunk(const CatalogSchema& schema);

  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  /// A row is visible at an epoch from the one that added it until the one that removed it.
  /// `removed` is read first and written last, so a row that is being reused for a newer item never
  /// looks visible to an older request.
  bool visible(uint32_t offset, uint64_t epoch) const {
    return removed_[offset].load(std::memory_order_acquire) > epoch &&
           added_[offset].load(std::memory_order_acquire) <= epoch;
  }
  uint64_t added(uint32_t offset) const { return added_[offset].load(std::memory_order_acquire); }
  uint64_t removed(uint32_t offset) const {
    return removed_[offset].load(std::memory_order_acquire);
  }
  void stamp_added(uint32_t offset, uint64_t epoch) {
    added_[offset].store(epoch, std::memory_order_release);
    removed_[offset].store(kNever, std::memory_order_release);
    stamped_.store(epoch, std::memory_order_release);
  }
  void stamp_removed(uint32_t offset, uint64_t epoch) {
    removed_[offset].store(epoch, std::memory_order_release);
    stamped_.store(epoch, std::memory_order_release);
  }
  /// The epoch of the latest write to any row: a copy of the chunk made at or after it is current.
  uint64_t stamped() const { return stamped_.load(std::memory_order_acquire); }

  const float* vector(uint32_t space, uint32_t offset) const {
    return spaces_[space].data.get() + size_t{offset} * spaces_[space].dimensions;
  }
  float* vector(uint32_t space, uint32_t offset) {
    return spaces_[space].data.get() + size_t{offset} * spaces_[space].dimensions;
  }
  bool has_vector(uint32_t space, uint32_t offset) const {
    return spaces_[space].norm[offset] >= 0.0F;
  }
  /// Euclidean length, or −1 where the item has no vector in this space.
  float norm(uint32_t space, uint32_t offset) const { return spaces_[space].norm[offset]; }
  void prefetch_norm(uint32_t space, uint32_t offset) const {
    prefetch(&spaces_[space].norm[offset]);
  }
  void set_norm(uint32_t space, uint32_t offset, float norm);

  /// At least the norm of each of the chunk's vectors in this space, and at least the publish time
  /// of each of its items: what a scan needs to leave a chunk out. They are raised before a row
  /// becomes visible and never lowered, so they are bounds at every epoch.
  float largest_norm(uint32_t space) const {
    return spaces_[space].largest_norm.load(std::memory_order_relaxed);
  }
  int64_t newest() const { return newest_.load(std::memory_order_relaxed); }
  /// The same for the group of kGroupRows rows that this one is in.
  int64_t newest_near(uint32_t offset) const {
    return newest_of_group_[offset / kGroupRows].load(std::memory_order_relaxed);
  }
  void set_publish_time(uint32_t offset, int64_t at);

  /// An item's numeric columns, NaN where missing. They lie side by side, because a request reads
  /// many of them of few items.
  ItemColumns columns(uint32_t offset) const {
    const size_t begin = offset * column_count_;
    if (float32_columns_.get() != nullptr) return {nullptr, float32_columns_.get() + begin};
    return {float64_columns_.get() + begin, nullptr};
  }
  void set_column(uint32_t offset, size_t column, double value) {
    const size_t at = offset * column_count_ + column;
    if (float32_columns_.get() != nullptr) {
      float32_columns_[at] = to_float32(value);
    } else {
      float64_columns_[at] = value;
    }
  }
  size_t column_count() const { return column_count_; }

  size_t bytes() const { return bytes_; }

  // The remaining columns are plain arrays of kRows elements; rows that a request sees are
  // constant.
  std::vector<ItemId> id;
  std::vector<int64_t> publish_time;
  std::vector<Slot> slot;
  std::vector<Row> previous;
  std::vector<uint32_t> author;
  std::vector<std::vector<uint32_t>> topics;
  std::vector<std::vector<uint32_t>> labels;  // [label][offset], a code or StringTable::kNone

 private:
  struct Space {
    uint32_t dimensions = 0;
    AlignedArray<float> data;
    std::vector<float> norm;
    std::atomic<float> largest_norm{0.0F};
  };

  std::array<std::atomic<uint64_t>, kRows> added_;
  std::array<std::atomic<uint64_t>, kRows> removed_;
  std::atomic<uint64_t> stamped_{0};
  std::atomic<int64_t> newest_{std::numeric_limits<int64_t>::min()};
  std::array<std::atomic<int64_t>, kRows / kGroupRows> newest_of_group_;
  size_t column_count_;
  AlignedArray<double> float64_columns_;  // one of the two is empty
  AlignedArray<float> float32_columns_;
  std::vector<Space> spaces_;
  size_t bytes_ = 0;
};

}  // namespace feedrank
