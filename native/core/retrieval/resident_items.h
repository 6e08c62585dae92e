#pragma once

#include <torch/script.h>

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "catalog/catalog.h"

namespace feedrank {

/// The items of one embedding space, kept on a device between requests: 2 · dimensions + 32 bytes a
/// row. All that feeds of a process share one copy of a catalog's space.
///
/// A row carries the epochs that added and removed it, so that requests of several epochs scan the
/// same copy. What a request sees and the copy lacks is brought in before it scans.
class ResidentItems {
 public:
  /// The process's copy, made where there is none yet.
  static std::shared_ptr<ResidentItems> of(const Catalog& catalog, uint32_t space,
                                           c10::Device device);

  ResidentItems(uint32_t space, uint32_t dimensions, c10::Device device);

  ResidentItems(const ResidentItems&) = delete;
  ResidentItems& operator=(const ResidentItems&) = delete;

  /// Tensors of one element (or one vector) a row, in order of rows.
  struct Columns {
    at::Tensor units;          // float16 [rows, dimensions], of unit length
    at::Tensor lengths;        // float64
    at::Tensor publish_times;  // float64, epoch milliseconds
    at::Tensor added;          // int64, an epoch
    at::Tensor removed;        // int64
  };

  /// Calls `scan(columns)` while no writer changes what it reads; the columns hold at least each
  /// row that the snapshot sees.
  template <typename Scan>
  void read(const Snapshot& snapshot, Scan&& scan) {
    if (!covers(snapshot)) synchronise(snapshot);
    // What a later snapshot brings in between changes nothing that this one sees.
    const std::shared_lock lock(mutex_);
    scan(columns_);
  }

 private:
  bool covers(const Snapshot& snapshot) const;
  bool covers_chunk(const Snapshot& snapshot, uint32_t chunk) const;
  void synchronise(const Snapshot& snapshot);
  void grow(int64_t rows);
  void bring(const Snapshot& snapshot, uint32_t chunk_index);

  const uint32_t space_;
  const uint32_t dimensions_;
  const c10::Device device_;

  mutable std::shared_mutex mutex_;
  Columns columns_;
  int64_t capacity_ = 0;
  std::vector<uint64_t> brought_at_;  // [chunk], the epoch of the latest snapshot brought in
  std::vector<uint64_t> held_;        // [row], the epoch that added what the copy holds
};

}  // namespace feedrank
