#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace feedrank {

/// Finds slots by the hashes of their items' ids. It holds no ids, whose owner says which of the
/// slots with a hash is meant: an item costs 12 to 24 bytes where a map of ids costs some 130, and
/// growing is a copy that readers need not wait for.
///
/// Open addressing with linear probing; at most two thirds of the cells are taken.
class SlotIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// The slot with this hash for which `is_it(slot)` holds, or kNone.
  template <typename IsIt>
  uint32_t find(size_t hash, IsIt&& is_it) const {
    if (cells_.empty()) return kNone;
    for (size_t at = static_cast<uint32_t>(hash) & mask(); cells_[at].slot != kNone;
         at = (at + 1) & mask()) {
      if (cells_[at].hash == static_cast<uint32_t>(hash) && is_it(cells_[at].slot)) {
        return cells_[at].slot;
      }
    }
    return kNone;
  }

  bool has_room_for(size_t count) const { return 3 * (size_ + count) <= 2 * cells_.size(); }

  /// The same index with room for `count` more.
  SlotIndex with_room_for(size_t count) const;

  /// Needs room. The slot must not be there already.
  void insert(size_t hash, uint32_t slot);

  /// The slot must be there.
  void erase(size_t hash, uint32_t slot);

  /// Asks for the memory that `find` will read.
  void prefetch(size_t hash) const {
    if (!cells_.empty()) __builtin_prefetch(&cells_[static_cast<uint32_t>(hash) & mask()]);
  }

  size_t size() const { return size_; }
  size_t bytes() const { return cells_.capacity() * sizeof(Cell); }

 private:
  struct Cell {
    uint32_t slot = kNone;
    uint32_t hash = 0;
  };

  size_t mask() const { return cells_.size() - 1; }

  std::vector<Cell> cells_;  // a power of two of them, or none
  size_t size_ = 0;
};

}  // namespace feedrank
