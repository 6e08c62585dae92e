#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "catalog/chunk.h"
#include "retrieval/scan_kernel.h"
#include "runtime/aligned_array.h"
#include "runtime/prefetch.h"

namespace feedrank {

struct InvertedLists;

/// Coded vectors of items, newest first. Written by one thread before anybody else sees it; after
/// that only what tells removed items from living ones changes.
class ScanSegment {
 public:
  /// What a scan may leave out or must take as a whole.
  static constexpr uint32_t kUnit = 512;

  /// Bounds over a unit's items.
  struct Unit {
    int64_t newest = std::numeric_limits<int64_t>::min();
    int64_t oldest = std::numeric_limits<int64_t>::max();
    double norm = 0;        // at least each ‖x‖
    double coded_norm = 0;  // at least each ‖scale · codes‖
    double code_norm = 0;   // at least each ‖codes‖
    double residual = 0;    // at least each ‖x − scale · codes‖ / scale

    /// What to add to unit · dot so that nothing can be more: the residual, and the rounding of the
    /// kernels' float32 arithmetic, at most five roundings of numbers below 2 · code_norm.
    double allowance() const { return residual * (1 + 1e-6) + 6e-7 * code_norm; }
  };

  /// With room for `capacity` items.
  ScanSegment(uint32_t capacity, uint32_t dimensions);
  ~ScanSegment();

  ScanSegment(const ScanSegment&) = delete;
  ScanSegment& operator=(const ScanSegment&) = delete;

  /// Both write the next position.
  void code(Row row, int64_t publish_time, std::span<const float> vector);
  void copy(const ScanSegment& from, uint32_t position);
  /// To be called when the last item has been written.
  void close();

  uint32_t size() const { return size_; }
  uint32_t dimensions() const { return dimensions_; }
  const std::vector<Unit>& units() const { return units_; }
  ScanItems items_of(uint32_t unit) const;
  float scale(uint32_t position) const { return scales_[position]; }
  int64_t publish_time(uint32_t position) const { return publish_times_[position]; }
  /// One item's codes, kScanGroup a group.
  void read_codes(uint32_t position, std::span<int8_t> codes) const;

  /// kNoRow where the row has been taken by another item since, or was never taken.
  Row row(uint32_t position) const { return rows_[position].load(std::memory_order_relaxed); }
  /// Whether the item has not been removed. Where it has, requests that began before that still
  /// see its row.
  bool alive(uint32_t position) const {
    const uint32_t word = alive_[position / kScanBlock].load(std::memory_order_relaxed);
    return ((word >> (position % kScanBlock)) & 1U) != 0;
  }
  /// Asks for what `row` and `alive` read.
  void prefetch_row(uint32_t position) const {
    prefetch(&rows_[position]);
    prefetch(&alive_[position / kScanBlock]);
  }
  uint32_t removed() const { return removed_; }

  void note_removed(uint32_t position);
  void note_reused(uint32_t position) { rows_[position].store(kNoRow, std::memory_order_relaxed); }

  /// The same items in lists of their own, null where there are none yet.
  const InvertedLists* lists() const { return lists_.load(std::memory_order_acquire); }
  /// To be called once at most, by any thread.
  void set_lists(std::unique_ptr<const InvertedLists> lists);

  size_t bytes() const;

 private:
  uint8_t* codes_of(uint32_t position) const {
    return codes_.get() + size_t{position / kScanBlock} * groups_ * (kScanBlock * kScanGroup) +
           size_t{position % kScanBlock} * kScanGroup;
  }
  /// Gives the next position its row, and the unit that it lies in.
  Unit& place(Row row, int64_t publish_time, float scale);

  const uint32_t dimensions_;
  const uint32_t groups_;
  const uint32_t capacity_;  // in whole blocks
  uint32_t size_ = 0;
  uint32_t removed_ = 0;
  AlignedArray<uint8_t> codes_;
  AlignedArray<float> scales_;
  // Here too, so that a scan need not read them all over the catalog.
  AlignedArray<int64_t> publish_times_;
  std::unique_ptr<std::atomic<Row>[]> rows_;
  std::unique_ptr<std::atomic<uint32_t>[]> alive_;  // a bit an item
  std::vector<Unit> units_;
  std::atomic<const InvertedLists*> lists_{nullptr};  // owned
};

}  // namespace feedrank
