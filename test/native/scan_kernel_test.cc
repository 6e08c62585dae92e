// The innermost loops of a scan: each kernel that this machine can run against plain arithmetic.

#include "retrieval/scan_kernel.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "retrieval/scan_kernels.h"
#include "runtime/aligned_array.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

enum class Codes { kAny, kLargest };

/// Coded items and queries, and the arrays that a kernel fills.
class Scan {
 public:
  Scan(Random& random, Codes codes, uint32_t groups, uint32_t blocks, uint32_t lanes)
      : codes_(size_t{blocks} * groups * kScanBlock * kScanGroup),
        scales_(size_t{blocks} * kScanBlock) {
    const bool any = codes == Codes::kAny;
    for (size_t i = 0; i < size_t{blocks} * groups * kScanBlock * kScanGroup; ++i) {
      codes_[i] = static_cast<uint8_t>(any ? 1 + random.below(255) : random.below(2) * 254 + 1);
    }
    // Powers of two, so that what kernels compute in float32 is exact.
    for (uint32_t i = 0; i < blocks * kScanBlock; ++i) scales_[i] = random.chance(0.5) ? 1 : 0.5F;
    items_ = {codes_.get(), scales_.get(), blocks, groups, 64};
    queries_.resize(lanes);
    for (Query& query : queries_) {
      for (uint32_t i = 0; i < groups * kScanGroup; ++i) {
        const int64_t code = any ? random.below(255) - 127 : random.below(2) * 254 - 127;
        query.codes.push_back(static_cast<int8_t>(code));
        query.wide.push_back(static_cast<int16_t>(code));
      }
      query.positions.resize(size_t{blocks + 1} * kScanBlock);
      query.dots.resize(size_t{blocks + 1} * kScanBlock);
      query.lane = {query.codes.data(),
                    query.wide.data(),
                    offset(query),
                    1,
                    0,
                    0,
                    query.positions.data(),
                    query.dots.data(),
                    0};
    }
  }

  /// Of each lane, what passes: positions and products.
  using Found = std::vector<std::vector<std::pair<uint32_t, int32_t>>>;

  Found run(ScanFunction scan, float least) {
    std::vector<ScanLane*> lanes;
    for (Query& query : queries_) {
      query.lane.least = least;
      query.lane.count = 12'345;  // What stood there before is of no consequence.
      lanes.push_back(&query.lane);
    }
    scan(items_, lanes.data(), static_cast<uint32_t>(lanes.size()));
    Found found;
    for (const Query& query : queries_) {
      found.emplace_back();
      for (uint32_t i = 0; i < query.lane.count; ++i) {
        found.back().emplace_back(query.positions[i], query.dots[i]);
      }
    }
    return found;
  }

  Found expected(float least) const {
    Found found;
    for (const Query& query : queries_) {
      found.emplace_back();
      for (uint32_t i = 0; i < items_.blocks * kScanBlock; ++i) {
        int64_t dot = 0;
        for (uint32_t d = 0; d < items_.groups * kScanGroup; ++d) {
          dot += (int64_t{code(i, d)} - kScanOffset) * query.codes[d];
        }
        if (static_cast<double>(dot) * scales_[i] < least) continue;
        found.back().emplace_back(items_.first + i, static_cast<int32_t>(dot));
      }
    }
    return found;
  }

 private:
  struct Query {
    std::vector<int8_t> codes;
    std::vector<int16_t> wide;
    std::vector<uint32_t> positions;
    std::vector<int32_t> dots;
    ScanLane lane;
  };

  static int32_t offset(const Query& query) {
    int32_t sum = 0;
    for (const int8_t code : query.codes) sum += code;
    return kScanOffset * sum;
  }

  /// The layout, once more.
  uint8_t code(uint32_t item, uint32_t dimension) const {
    const size_t block = size_t{item / kScanBlock} * items_.groups * kScanBlock * kScanGroup;
    const size_t group = size_t{dimension / kScanGroup} * kScanBlock * kScanGroup;
    return codes_[block + group + item % kScanBlock * kScanGroup + dimension % kScanGroup];
  }

  AlignedArray<uint8_t> codes_;
  AlignedArray<float> scales_;
  ScanItems items_;
  std::vector<Query> queries_;
};

void compare(Random& random, Codes codes, uint32_t groups, uint32_t blocks, uint32_t lanes) {
  Scan scan(random, codes, groups, blocks, lanes);
  const auto bound = static_cast<float>(std::sqrt(groups) * 8'000);
  for (const float least : {-std::numeric_limits<float>::infinity(), 0.0F, bound, 2e9F}) {
    const Scan::Found expected = scan.expected(least);
    for (const ScanKernel& kernel : scan_kernels()) {
      const Scan::Found found = scan.run(kernel.scan, least);
      for (uint32_t l = 0; l < lanes; ++l) {
        if (found[l] == expected[l]) continue;
        EXPECT_EQ(std::string(kernel.name) + " differs", std::to_string(groups) + " groups, lane " +
                                                             std::to_string(l) + " of " +
                                                             std::to_string(lanes));
      }
    }
  }
}

}  // namespace

TEST_CASE("every kernel gives the integers of plain arithmetic") {
  Random random(1);
  for (const uint32_t groups : {1U, 2U, 3U, 16U, 31U}) {
    for (const uint32_t lanes : {1U, 2U, 3U, 7U, 8U, 15U, 19U}) {
      compare(random, Codes::kAny, groups, 1 + static_cast<uint32_t>(random.below(4)), lanes);
    }
  }
}

TEST_CASE(
    "no kernel overflows where all codes are the largest, in as many dimensions as there are") {
  Random random(2);
  for (const uint32_t groups : {1U, 16U, 1024U}) compare(random, Codes::kLargest, groups, 2, 9);
}

TEST_CASE("the portable kernel is always there and the fastest comes first") {
  EXPECT_EQ(std::string(scan_kernels().back().name), "portable");
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") == 0) SKIP("this machine has no AVX2");
  EXPECT(scan_kernels().size() >= 2);
  if (__builtin_cpu_supports("avx512vnni") == 0) SKIP("this machine has no AVX-512 VNNI");
  EXPECT_EQ(std::string(scan_kernels().front().name), "avx512");
#endif
}

TEST_CASE("the environment chooses a kernel by name and is told where there is none of that name") {
  for (const ScanKernel& kernel : scan_kernels()) {
    setenv("FEEDRANK_KERNEL", kernel.name, 1);
    EXPECT(chosen_scan_kernel().scan == kernel.scan);
  }
  setenv("FEEDRANK_KERNEL", "mmx", 1);
  EXPECT_EQ(error_code([] { chosen_scan_kernel(); }), "INVALID_ARGUMENT");
  setenv("FEEDRANK_KERNEL", "", 1);
  EXPECT(chosen_scan_kernel().scan == scan_kernels().front().scan);
  unsetenv("FEEDRANK_KERNEL");
  EXPECT(chosen_scan_kernel().scan == scan_kernels().front().scan);
}
