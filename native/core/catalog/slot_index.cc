#include "catalog/slot_index.h"

#include <algorithm>
#include <bit>

namespace feedrank {

SlotIndex::Part SlotIndex::Part::with_room_for(size_t count) const {
  constexpr size_t kLeast = 16;
  Part grown;
  // Twice what is needed, so that the next copy is far away.
  grown.cells.resize(std::max(kLeast, std::bit_ceil(2 * (size + count))));
  for (const Cell& cell : cells) {
    if (cell.slot != kNone) grown.insert(cell.hash, cell.slot);
  }
  return grown;
}

void SlotIndex::Part::insert(uint32_t hash, uint32_t slot) {
  size_t at = hash & mask();
  while (cells[at].slot != kNone) at = (at + 1) & mask();
  cells[at] = {slot, hash};
  ++size;
}

SlotIndex::Growth SlotIndex::growth_for(std::span<const size_t> hashes) const {
  std::array<size_t, size_t{1} << kPartBits> counts{};
  for (const size_t hash : hashes) ++counts[part_of(hash)];
  Growth growth;
  for (size_t p = 0; p < parts_.size(); ++p) {
    if (counts[p] == 0 || parts_[p].has_room_for(counts[p])) continue;
    growth.parts_.emplace_back(p, parts_[p].with_room_for(counts[p]));
  }
  return growth;
}

void SlotIndex::adopt(Growth& growth) noexcept {
  for (auto& [number, part] : growth.parts_) std::swap(parts_[number], part);
}

void SlotIndex::insert(size_t hash, uint32_t slot) {
  parts_[part_of(hash)].insert(static_cast<uint32_t>(hash), slot);
}

void SlotIndex::erase(size_t hash, uint32_t slot) {
  Part& part = parts_[part_of(hash)];
  const size_t mask = part.mask();
  size_t hole = static_cast<uint32_t>(hash) & mask;
  while (part.cells[hole].slot != slot) hole = (hole + 1) & mask;
  // What follows moves up, so that no search stops at the hole before it has come to its end.
  for (size_t at = (hole + 1) & mask; part.cells[at].slot != kNone; at = (at + 1) & mask) {
    const size_t home = part.cells[at].hash & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    part.cells[hole] = part.cells[at];
    hole = at;
  }
  part.cells[hole] = Cell{};
  --part.size;
}

size_t SlotIndex::size() const {
  size_t size = 0;
  for (const Part& part : parts_) size += part.size;
  return size;
}

size_t SlotIndex::bytes() const {
  size_t bytes = 0;
  for (const Part& part : parts_) bytes += part.cells.capacity() * sizeof(Cell);
  return bytes;
}

}  // namespace feedrank
