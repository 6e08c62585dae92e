#include "retrieval/scan_segment.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "retrieval/scan_coding.h"

namespace feedrank {
namespace {

constexpr uint32_t kGroupBytes = kScanBlock * kScanGroup;

uint32_t parts(uint32_t count, uint32_t size) { return (count + size - 1) / size; }

}  // namespace

ScanSegment::ScanSegment(uint32_t size, uint32_t dimensions)
    : size_(size),
      dimensions_(dimensions),
      groups_(parts(dimensions, kScanGroup)),
      blocks_(parts(size, kScanBlock)),
      codes_(size_t{blocks_} * groups_ * kGroupBytes),
      scales_(size_t{blocks_} * kScanBlock),
      publish_times_(size_t{blocks_} * kScanBlock),
      rows_(std::make_unique<std::atomic<Row>[]>(size_t{blocks_} * kScanBlock)),
      alive_(std::make_unique<std::atomic<uint32_t>[]>(blocks_)),
      units_(parts(size, kUnit)) {
  // Places behind the last item have codes of 0, and no row.
  std::memset(codes_.get() + size_t{blocks_ - 1} * groups_ * kGroupBytes, kScanOffset,
              size_t{groups_} * kGroupBytes);
  for (uint32_t i = size; i < blocks_ * kScanBlock; ++i) {
    scales_[i] = 0;
    rows_[i].store(kNoRow, std::memory_order_relaxed);
  }
}

void ScanSegment::place(uint32_t at, Row row, int64_t publish_time, float scale) {
  scales_[at] = scale;
  publish_times_[at] = publish_time;
  rows_[at].store(row, std::memory_order_relaxed);
  alive_[at / kScanBlock].fetch_or(1U << (at % kScanBlock), std::memory_order_relaxed);
  Unit& unit = units_[at / kUnit];
  unit.newest = std::max(unit.newest, publish_time);
  unit.oldest = std::min(unit.oldest, publish_time);
}

void ScanSegment::code(uint32_t at, Row row, int64_t publish_time, std::span<const float> vector) {
  // As long as the longest vector that a catalog takes would need too much of a thread's stack.
  static thread_local std::vector<int8_t> codes;
  codes.resize(size_t{groups_} * kScanGroup);
  const CodedVector coded = code_vector(vector, codes);
  uint8_t* out = codes_of(at);
  for (uint32_t g = 0; g < groups_; ++g) {
    for (uint32_t d = 0; d < kScanGroup; ++d) {
      out[g * kGroupBytes + d] = static_cast<uint8_t>(codes[g * kScanGroup + d] + kScanOffset);
    }
  }
  place(at, row, publish_time, static_cast<float>(coded.scale));
  Unit& unit = units_[at / kUnit];
  unit.norm = std::max(unit.norm, coded.norm);
  unit.coded_norm = std::max(unit.coded_norm, coded.scale * coded.code_norm);
  unit.code_norm = std::max(unit.code_norm, coded.code_norm);
  unit.residual = std::max(unit.residual, coded.residual);
}

void ScanSegment::copy(uint32_t at, const ScanSegment& from, uint32_t position) {
  const uint8_t* in = from.codes_of(position);
  uint8_t* out = codes_of(at);
  int32_t squares = 0;
  for (uint32_t g = 0; g < groups_; ++g) {
    std::memcpy(out + g * kGroupBytes, in + g * kGroupBytes, kScanGroup);
    for (uint32_t d = 0; d < kScanGroup; ++d) {
      const int32_t code = int32_t{in[g * kGroupBytes + d]} - kScanOffset;
      squares += code * code;
    }
  }
  const float scale = from.scale(position);
  place(at, from.row(position), from.publish_time(position), scale);
  const Unit& before = from.units_[position / kUnit];
  const double code_norm = std::sqrt(static_cast<double>(squares));
  Unit& unit = units_[at / kUnit];
  unit.residual = std::max(unit.residual, before.residual);
  unit.code_norm = std::max(unit.code_norm, code_norm);
  unit.coded_norm = std::max(unit.coded_norm, scale * code_norm);
  // An item's own length is not kept, but it is no longer than its coded length and what that
  // leaves out.
  unit.norm = std::max(unit.norm, std::min(before.norm, scale * (code_norm + before.residual)));
}

ScanItems ScanSegment::items_of(uint32_t unit) const {
  const uint32_t first = unit * (kUnit / kScanBlock);
  ScanItems items;
  items.codes = codes_.get() + size_t{first} * groups_ * kGroupBytes;
  items.scales = scales_.get() + size_t{first} * kScanBlock;
  items.blocks = std::min(kUnit / kScanBlock, blocks_ - first);
  items.groups = groups_;
  items.first = unit * kUnit;
  return items;
}

void ScanSegment::note_removed(uint32_t position) {
  alive_[position / kScanBlock].fetch_and(~(1U << (position % kScanBlock)),
                                          std::memory_order_relaxed);
  ++removed_;
}

size_t ScanSegment::bytes() const {
  const size_t places = size_t{blocks_} * kScanBlock;
  return sizeof(ScanSegment) +
         places * (size_t{groups_} * kScanGroup + sizeof(float) + sizeof(int64_t) + sizeof(Row)) +
         blocks_ * sizeof(uint32_t) + units_.size() * sizeof(Unit);
}

}  // namespace feedrank
