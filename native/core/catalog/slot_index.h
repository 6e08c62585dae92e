#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "runtime/prefetch.h"

namespace feedrank {

/// Finds slots by the hashes of their items' ids. It holds no ids, whose owner says which of the
/// slots with a hash is meant: an item costs 12 to 24 bytes where a map of ids costs some 130, and
/// growing is a copy that readers need not wait for.
///
/// Open addressing with linear probing; at most two thirds of the cells are taken. It lies in
/// parts, which grow one by one, so that no write waits until all of a large index has been copied.
class SlotIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

 private:
  struct Cell {
    uint32_t slot = kNone;
    uint32_t hash = 0;
  };
  struct Part {
    std::vector<Cell> cells;  // a power of two of them, or none
    size_t size = 0;

    size_t mask() const { return cells.size() - 1; }
    bool has_room_for(size_t count) const { return 3 * (size + count) <= 2 * cells.size(); }
    Part with_room_for(size_t count) const;
    void insert(uint32_t hash, uint32_t slot);
  };

 public:
  /// Larger parts that are to take the place of others.
  class Growth {
   public:
    bool empty() const { return parts_.empty(); }

   private:
    friend class SlotIndex;

    std::vector<std::pair<size_t, Part>> parts_;  // by number
  };

  /// The slot with this hash for which `is_it(slot)` holds, or kNone.
  template <typename IsIt>
  uint32_t find(size_t hash, IsIt&& is_it) const {
    const Part& part = parts_[part_of(hash)];
    const auto kept = static_cast<uint32_t>(hash);
    if (part.cells.empty()) return kNone;
    for (size_t at = kept & part.mask(); part.cells[at].slot != kNone;
         at = (at + 1) & part.mask()) {
      if (part.cells[at].hash == kept && is_it(part.cells[at].slot)) return part.cells[at].slot;
    }
    return kNone;
  }

  /// What there must be for a slot of each of these hashes to be inserted.
  Growth growth_for(std::span<const size_t> hashes) const;
  /// Exchanges parts; afterwards the growth holds those that were there before.
  void adopt(Growth& growth) noexcept;

  /// Needs room. The slot must not be there already.
  void insert(size_t hash, uint32_t slot);

  /// The slot must be there.
  void erase(size_t hash, uint32_t slot);

  /// Asks for the memory that `find` will read.
  void prefetch(size_t hash) const {
    const Part& part = parts_[part_of(hash)];
    if (part.cells.empty()) return;
    feedrank::prefetch(&part.cells[static_cast<uint32_t>(hash) & part.mask()]);
  }

  size_t size() const;
  size_t bytes() const;

 private:
  static constexpr uint32_t kPartBits = 6;

  /// By other bits of what is kept of a hash than the place in a part.
  static size_t part_of(size_t hash) { return static_cast<uint32_t>(hash) >> (32 - kPartBits); }

  std::array<Part, size_t{1} << kPartBits> parts_;
};

}  // namespace feedrank
