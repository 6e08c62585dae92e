#pragma once

#include <cstdint>

// What a scan's innermost loops take and give. The files that include this are compiled for one
// kind of processor each, so it holds plain data alone: an inline function would be compiled
// several times over, and the linker might keep the one that this machine cannot run.

namespace feedrank {

/// Coded items lie in blocks of this many, each block transposed: of every item four dimensions,
/// then of every item the next four.
inline constexpr uint32_t kScanBlock = 32;
inline constexpr uint32_t kScanGroup = 4;
/// What is added to an item's code, which is from −127 to 127, so that it is stored without a sign.
inline constexpr int32_t kScanOffset = 128;

/// Some blocks of coded items that lie one after another.
struct ScanItems {
  const uint8_t* codes = nullptr;  // [block][group][item][4], aligned to 64 bytes
  const float* scales = nullptr;   // [block][item], aligned to 64 bytes; 0 where there is no item
  uint32_t blocks = 0;
  uint32_t groups = 0;
  uint32_t first = 0;  // position of the first item
  /// What will be read next, so that it is asked for while these are read: as long as these, and
  /// anywhere, as nothing happens where there is no such memory.
  const uint8_t* ahead = nullptr;
};

/// Where items lie one after another, how far ahead of the reading they are asked for: beyond the
/// page at whose end the processor's own prefetching stops.
inline constexpr uint32_t kScanAhead = 4096;

/// One query's part in a scan.
struct ScanLane {
  const int8_t* codes = nullptr;        // [group][4], from −127 to 127
  const int16_t* wide_codes = nullptr;  // the same numbers
  int32_t offset = 0;                   // kScanOffset · the sum of the codes
  float unit = 0;
  float allowance = 0;
  float least = 0;
  /// The items of which scale · (unit · dot + allowance) ≥ least, in order of their positions,
  /// where dot is the product of the codes. Both arrays have room for all items and kScanBlock
  /// more.
  uint32_t* positions = nullptr;
  int32_t* dots = nullptr;
  uint32_t count = 0;
};

/// Sets `count` and fills the arrays of each lane.
using ScanFunction = void (*)(const ScanItems& items, ScanLane* const* lanes, uint32_t lane_count);

void scan_portable(const ScanItems& items, ScanLane* const* lanes, uint32_t lane_count);
#if defined(__x86_64__)
void scan_avx2(const ScanItems& items, ScanLane* const* lanes, uint32_t lane_count);
void scan_avx512(const ScanItems& items, ScanLane* const* lanes, uint32_t lane_count);
#endif

}  // namespace feedrank
