#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "retrieval/scan_kernels.h"
#include "retrieval/scan_query.h"
#include "retrieval/scan_segment.h"
#include "retrieval/scan_view.h"
#include "retrieval/score_collector.h"

namespace feedrank {

/// What all threads share that scan one state of a space's items for several queries.
struct ScanPass {
  /// Queries that are scanned for at once.
  static constexpr size_t kMostQueries = 32;

  const Snapshot& snapshot;
  uint32_t space;
  const ScanKernel& kernel;
  const std::vector<ScanQuery>& queries;
  uint32_t threads;
  const ScanList& list;
  std::vector<SharedThreshold> thresholds;              // [query]
  std::vector<std::vector<ScoreCollector>> collectors;  // [query][thread]
  std::atomic<uint32_t> next{0};

  ScanPass(const Snapshot& seen, uint32_t of_space, const ScanKernel& by,
           const std::vector<ScanQuery>& asked, uint32_t most_threads, const ScanList& to_scan);

  /// What all threads have found for a query, in no order. To be called once, when all have ended.
  std::vector<BoundedScore> take_found(uint32_t query);
};

/// One thread's part of a pass.
class ScanWorker {
 public:
  ScanWorker(ScanPass& pass, uint32_t thread);

  /// Scans until all units have been taken or no query needs one any more.
  void scan();

  /// Scores rows that are not coded yet.
  void scan_tail();

  /// No item that scores less is among a query's best.
  double threshold(uint32_t query) const { return asked_[query].threshold; }
  void offer(uint32_t query, Row row, std::optional<BoundedScore> score);

 private:
  struct Asked {
    ScanLane lane;
    bool ended = false;
    double threshold = -std::numeric_limits<double>::infinity();
    double newest_weight = 0;
    std::array<uint32_t, ScanSegment::kUnit + kScanBlock> positions;
    std::array<int32_t, ScanSegment::kUnit + kScanBlock> dots;
  };

  const float* vector_of(Row row) const;
  void scan(const ScanList::Step& step);
  /// An exponential, but for queries that decay alike.
  double newest_weight(uint32_t query, int64_t newest) const;
  /// Bounds the scores of what the kernel let through.
  void take(uint32_t query, const ScanSegment& segment, const ScanSegment::Unit& unit);

  ScanPass& pass_;
  const uint32_t thread_;
  std::vector<Asked> asked_;
  size_t ended_ = 0;
};

}  // namespace feedrank
