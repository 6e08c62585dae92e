#include "retrieval/inverted_lists.h"

namespace feedrank {

ScanItems InvertedLists::items_of(const Unit& unit) const {
  ScanItems items;
  items.codes = codes.get() + size_t{unit.first_block} * groups * (kScanBlock * kScanGroup);
  items.scales = scales.get() + size_t{unit.first_block} * kScanBlock;
  items.blocks = unit.blocks;
  items.groups = groups;
  items.first = unit.first_block * kScanBlock;
  return items;
}

size_t InvertedLists::bytes() const {
  const size_t lists = newest.size();
  return sizeof(InvertedLists) + centroids->bytes() +
         lists * (sizeof(uint32_t) + sizeof(int64_t) + 2 * sizeof(float)) +
         units.size() * sizeof(Unit) + block_newest.size() * sizeof(int64_t) +
         places *
             (size_t{groups} * kScanGroup + sizeof(float) + sizeof(uint32_t) + sizeof(int64_t));
}

}  // namespace feedrank
