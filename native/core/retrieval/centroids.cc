#include "retrieval/centroids.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "retrieval/scan_coding.h"

namespace feedrank {
namespace {

constexpr uint32_t kGroupBytes = kScanBlock * kScanGroup;

}  // namespace

Centroids::Centroids(uint32_t count, uint32_t dimensions)
    : count_(count),
      dimensions_(dimensions),
      groups_((dimensions + kScanGroup - 1) / kScanGroup),
      codes_(size_t{count} * groups_ * kScanGroup),
      inverse_norms_(count) {
  std::memset(codes_.get(), kScanOffset, size_t{count} * groups_ * kScanGroup);
  std::fill_n(inverse_norms_.get(), count, 0.0F);
}

void Centroids::set(uint32_t number, std::span<const float> direction) {
  std::vector<int8_t> codes(size_t{groups_} * kScanGroup);
  const CodedVector coded = code_vector(direction.first(dimensions_), codes);
  if (coded.code_norm == 0) return;
  uint8_t* out = codes_.get() + size_t{number / kScanBlock} * groups_ * kGroupBytes +
                 size_t{number % kScanBlock} * kScanGroup;
  for (uint32_t g = 0; g < groups_; ++g) {
    for (uint32_t d = 0; d < kScanGroup; ++d) {
      out[g * kGroupBytes + d] = static_cast<uint8_t>(codes[g * kScanGroup + d] + kScanOffset);
    }
  }
  inverse_norms_[number] = static_cast<float>(1 / coded.code_norm);
}

ScanItems Centroids::items(uint32_t first_block, uint32_t blocks) const {
  ScanItems items;
  items.codes = codes_.get() + size_t{first_block} * groups_ * kGroupBytes;
  items.scales = inverse_norms_.get() + size_t{first_block} * kScanBlock;
  items.blocks = blocks;
  items.groups = groups_;
  items.first = first_block * kScanBlock;
  items.ahead = items.codes + kScanAhead;
  return items;
}

size_t Centroids::bytes() const {
  return size_t{count_} * (size_t{groups_} * kScanGroup + sizeof(float));
}

}  // namespace feedrank
