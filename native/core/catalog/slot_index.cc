#include "catalog/slot_index.h"

#include <algorithm>
#include <bit>

namespace feedrank {

SlotIndex SlotIndex::with_room_for(size_t count) const {
  constexpr size_t kLeast = 64;
  SlotIndex grown;
  // Twice what is needed, so that the next copy is far away.
  grown.cells_.resize(std::max(kLeast, std::bit_ceil(2 * (size_ + count))));
  for (const Cell& cell : cells_) {
    if (cell.slot != kNone) grown.insert(cell.hash, cell.slot);
  }
  return grown;
}

void SlotIndex::insert(size_t hash, uint32_t slot) {
  const auto kept = static_cast<uint32_t>(hash);
  size_t at = kept & mask();
  while (cells_[at].slot != kNone) at = (at + 1) & mask();
  cells_[at] = {slot, kept};
  ++size_;
}

void SlotIndex::erase(size_t hash, uint32_t slot) {
  size_t hole = static_cast<uint32_t>(hash) & mask();
  while (cells_[hole].slot != slot) hole = (hole + 1) & mask();
  // What follows moves up, so that no search stops at the hole before it has come to its end.
  for (size_t at = (hole + 1) & mask(); cells_[at].slot != kNone; at = (at + 1) & mask()) {
    const size_t home = cells_[at].hash & mask();
    if (((at - home) & mask()) < ((at - hole) & mask())) continue;
    cells_[hole] = cells_[at];
    hole = at;
  }
  cells_[hole] = Cell{};
  --size_;
}

}  // namespace feedrank
