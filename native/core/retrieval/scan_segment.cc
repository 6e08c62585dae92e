#include "retrieval/scan_segment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "retrieval/inverted_lists.h"
#include "retrieval/scan_coding.h"

namespace feedrank {
namespace {

constexpr uint32_t kGroupBytes = kScanBlock * kScanGroup;

uint32_t parts(uint32_t count, uint32_t size) { return (count + size - 1) / size; }

}  // namespace

ScanSegment::ScanSegment(uint32_t capacity, uint32_t dimensions)
    : dimensions_(dimensions),
      groups_(parts(dimensions, kScanGroup)),
      capacity_(parts(capacity, kScanBlock) * kScanBlock),
      codes_(size_t{capacity_} * groups_ * kScanGroup),
      scales_(capacity_),
      publish_times_(capacity_),
      rows_(std::make_unique<std::atomic<Row>[]>(capacity_)),
      alive_(std::make_unique<std::atomic<uint32_t>[]>(capacity_ / kScanBlock)) {
  units_.reserve(parts(capacity, kUnit));
}

ScanSegment::~ScanSegment() { delete lists(); }

void ScanSegment::set_lists(std::unique_ptr<const InvertedLists> lists) {
  lists_.store(lists.release(), std::memory_order_release);
}

void ScanSegment::read_codes(uint32_t position, std::span<int8_t> codes) const {
  const uint8_t* in = codes_of(position);
  for (uint32_t g = 0; g < groups_; ++g) {
    for (uint32_t d = 0; d < kScanGroup; ++d) {
      codes[g * kScanGroup + d] = static_cast<int8_t>(in[g * kGroupBytes + d] - kScanOffset);
    }
  }
}

ScanSegment::Unit& ScanSegment::place(Row row, int64_t publish_time, float scale) {
  const uint32_t at = size_++;
  scales_[at] = scale;
  publish_times_[at] = publish_time;
  rows_[at].store(row, std::memory_order_relaxed);
  std::atomic<uint32_t>& alive = alive_[at / kScanBlock];
  alive.store(alive.load(std::memory_order_relaxed) | (1U << (at % kScanBlock)),
              std::memory_order_relaxed);
  if (at % kUnit == 0) units_.emplace_back();
  Unit& unit = units_.back();
  unit.newest = std::max(unit.newest, publish_time);
  unit.oldest = std::min(unit.oldest, publish_time);
  return unit;
}

void ScanSegment::code(Row row, int64_t publish_time, std::span<const float> vector) {
  // As long as the longest vector that a catalog takes would need too much of a thread's stack.
  static thread_local std::vector<int8_t> codes;
  codes.resize(size_t{groups_} * kScanGroup);
  const CodedVector coded = code_vector(vector, codes);
  uint8_t* out = codes_of(size_);
  for (uint32_t g = 0; g < groups_; ++g) {
    std::array<uint8_t, kScanGroup> stored;
    for (uint32_t d = 0; d < kScanGroup; ++d) {
      stored[d] = static_cast<uint8_t>(codes[g * kScanGroup + d] + kScanOffset);
    }
    std::memcpy(out + g * kGroupBytes, stored.data(), kScanGroup);
  }
  Unit& unit = place(row, publish_time, static_cast<float>(coded.scale));
  unit.norm = std::max(unit.norm, coded.norm);
  unit.coded_norm = std::max(unit.coded_norm, coded.scale * coded.code_norm);
  unit.code_norm = std::max(unit.code_norm, coded.code_norm);
  unit.residual = std::max(unit.residual, coded.residual);
}

void ScanSegment::copy(const ScanSegment& from, uint32_t position) {
  // Groups lie apart, so some are brought together to be summed up.
  constexpr uint32_t kTogether = 16;
  const uint8_t* in = from.codes_of(position);
  uint8_t* out = codes_of(size_);
  int32_t squares = 0;
  for (uint32_t begin = 0; begin < groups_; begin += kTogether) {
    std::array<uint8_t, kTogether * kScanGroup> some;
    if (groups_ - begin < kTogether) some.fill(kScanOffset);
    const uint32_t end = std::min(begin + kTogether, groups_);
    for (uint32_t g = begin; g < end; ++g) {
      std::memcpy(&some[size_t{g - begin} * kScanGroup], in + g * kGroupBytes, kScanGroup);
      std::memcpy(out + g * kGroupBytes, in + g * kGroupBytes, kScanGroup);
    }
    for (const uint8_t stored : some) {
      const auto code = static_cast<int16_t>(stored - kScanOffset);
      squares += code * code;
    }
  }
  const float scale = from.scale(position);
  const Unit& before = from.units_[position / kUnit];
  const double code_norm = std::sqrt(static_cast<double>(squares));
  Unit& unit = place(from.row(position), from.publish_time(position), scale);
  unit.residual = std::max(unit.residual, before.residual);
  unit.code_norm = std::max(unit.code_norm, code_norm);
  unit.coded_norm = std::max(unit.coded_norm, scale * code_norm);
  // An item's own length is not kept, but it is no longer than its coded length and what that
  // leaves out.
  unit.norm = std::max(unit.norm, std::min(before.norm, scale * (code_norm + before.residual)));
}

void ScanSegment::close() {
  // Places behind the last item have codes of 0, and no row.
  const uint32_t end = parts(size_, kScanBlock) * kScanBlock;
  for (uint32_t at = size_; at < end; ++at) {
    for (uint32_t g = 0; g < groups_; ++g) {
      std::memset(codes_of(at) + size_t{g} * kGroupBytes, kScanOffset, kScanGroup);
    }
    scales_[at] = 0;
    rows_[at].store(kNoRow, std::memory_order_relaxed);
  }
}

ScanItems ScanSegment::items_of(uint32_t unit) const {
  const uint32_t first = unit * (kUnit / kScanBlock);
  ScanItems items;
  items.codes = codes_.get() + size_t{first} * groups_ * kGroupBytes;
  items.scales = scales_.get() + size_t{first} * kScanBlock;
  items.blocks = std::min(kUnit / kScanBlock, parts(size_, kScanBlock) - first);
  items.groups = groups_;
  items.first = unit * kUnit;
  items.ahead = items.codes + kScanAhead;
  return items;
}

void ScanSegment::note_removed(uint32_t position) {
  alive_[position / kScanBlock].fetch_and(~(1U << (position % kScanBlock)),
                                          std::memory_order_relaxed);
  ++removed_;
}

size_t ScanSegment::bytes() const {
  return sizeof(ScanSegment) +
         size_t{capacity_} *
             (size_t{groups_} * kScanGroup + sizeof(float) + sizeof(int64_t) + sizeof(Row)) +
         capacity_ / kScanBlock * sizeof(uint32_t) + units_.capacity() * sizeof(Unit) +
         (lists() == nullptr ? 0 : lists()->bytes());
}

}  // namespace feedrank
