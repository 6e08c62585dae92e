#include "retrieval/fused_retriever.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <optional>
#include <vector>

#include "catalog/catalog.h"
#include "retrieval/exact_scores.h"
#include "retrieval/scan_query.h"
#include "retrieval/scan_segment.h"
#include "runtime/executor.h"
#include "runtime/parallel.h"

namespace feedrank {
namespace {

/// Queries that are scanned for at once.
constexpr size_t kTurn = 32;
/// Threads beyond this would wait for memory rather than read it.
constexpr uint32_t kMostThreads = 8;
/// Units that a thread takes at a time, and the fewest that make a second thread worth waking.
constexpr uint32_t kUnitsTaken = 4;
constexpr uint32_t kUnitsWorthSharing = 16;

/// What all threads of one pass share.
struct Pass {
  const Snapshot& snapshot;
  uint32_t space;
  const ScanKernel& kernel;
  const std::vector<ScanQuery>& queries;
  uint32_t threads;
  std::vector<SharedThreshold> thresholds;              // [query]
  std::vector<std::vector<ScoreCollector>> collectors;  // [query][thread]
  std::atomic<uint32_t> next{0};

  Pass(const Snapshot& seen, uint32_t of_space, const ScanKernel& by,
       const std::vector<ScanQuery>& asked, uint32_t most_threads)
      : snapshot(seen), space(of_space), kernel(by), queries(asked), threads(most_threads) {
    for (const ScanQuery& query : queries) {
      const uint32_t k = query.given().k;
      thresholds.emplace_back(threads);
      collectors.emplace_back(threads, ScoreCollector(k, (k + threads - 1) / threads));
    }
  }

  const ScanList& list() const { return *snapshot.scan_view(space).list; }
};

/// One thread's part of a pass.
class Worker {
 public:
  Worker(Pass& pass, uint32_t thread) : pass_(pass), thread_(thread), asked_(pass.queries.size()) {
    for (Asked& asked : asked_) {
      asked.lane.positions = asked.positions.data();
      asked.lane.dots = asked.dots.data();
    }
  }

  /// Scans until all units have been taken or no query needs one any more.
  void scan() {
    const auto& steps = pass_.list().steps;
    const auto count = static_cast<uint32_t>(steps.size());
    while (ended_ < asked_.size()) {
      const uint32_t begin = pass_.next.fetch_add(kUnitsTaken, std::memory_order_relaxed);
      if (begin >= count) return;
      for (uint32_t s = begin; s < std::min(count, begin + kUnitsTaken); ++s) scan(steps[s]);
    }
  }

  /// Scores rows that are not coded yet.
  void scan_tail() {
    const ScanView& view = pass_.snapshot.scan_view(pass_.space);
    for (uint32_t i = 0; i < view.tail_rows; ++i) {
      const Row row = view.tail->rows[i].load(std::memory_order_relaxed);
      if (row == kNoRow || !pass_.snapshot.visible(row)) continue;
      for (uint32_t q = 0; q < asked_.size(); ++q) {
        const RetrievalQuery& query = pass_.queries[q].given();
        const double dot = dot_product(query.vector.data(), vector_of(row),
                                       static_cast<uint32_t>(query.vector.size()));
        const double weight = pass_.queries[q].weight(pass_.snapshot.publish_time(row));
        offer(q, row, pass_.queries[q].score({dot, dot}, weight, weight));
      }
    }
  }

 private:
  struct Asked {
    ScanLane lane;
    bool ended = false;
    double threshold = -std::numeric_limits<double>::infinity();
    double newest_weight = 0;
    std::array<uint32_t, ScanSegment::kUnit + kScanBlock> positions;
    std::array<int32_t, ScanSegment::kUnit + kScanBlock> dots;
  };

  const float* vector_of(Row row) const {
    return pass_.snapshot.chunk_of(row).vector(pass_.space, Snapshot::offset_of(row));
  }

  void scan(const ScanList::Step& step) {
    const ScanSegment::Unit& unit = step.segment->units()[step.unit];
    std::array<ScanLane*, kTurn> lanes;
    std::array<uint32_t, kTurn> numbers;
    uint32_t count = 0;
    for (uint32_t q = 0; q < asked_.size(); ++q) {
      Asked& asked = asked_[q];
      const ScanQuery& query = pass_.queries[q];
      if (asked.ended) continue;
      asked.threshold = pass_.thresholds[q].value();
      asked.newest_weight = newest_weight(q, unit.newest);
      if (!query.may_reach(asked.threshold, step.largest_norm, asked.newest_weight)) {
        // Nor can anything after it, which is older.
        asked.ended = true;
        ++ended_;
        continue;
      }
      if (!query.may_reach(asked.threshold, unit.norm, asked.newest_weight)) continue;
      if (!query.aim(unit, asked.threshold, asked.newest_weight, asked.lane)) continue;
      lanes[count] = &asked.lane;
      numbers[count++] = q;
    }
    if (count == 0) return;
    pass_.kernel.scan(step.segment->items_of(step.unit), lanes.data(), count);
    for (uint32_t l = 0; l < count; ++l) {
      if (lanes[l]->count > 0) take(numbers[l], *step.segment, unit);
    }
  }

  /// An exponential, but for queries that decay alike.
  double newest_weight(uint32_t q, int64_t newest) const {
    if (q > 0 && !asked_[q - 1].ended) {
      const RetrievalQuery& query = pass_.queries[q].given();
      const RetrievalQuery& before = pass_.queries[q - 1].given();
      if (query.now == before.now && query.tau_ms == before.tau_ms) {
        return asked_[q - 1].newest_weight;
      }
    }
    return pass_.queries[q].weight(newest);
  }

  /// Bounds the scores of what the kernel let through.
  void take(uint32_t q, const ScanSegment& segment, const ScanSegment::Unit& unit) {
    const ScanQuery& query = pass_.queries[q];
    const Asked& asked = asked_[q];
    const double oldest_weight = query.weight(unit.oldest);
    // Where a unit spans little time, its items' weights are as good as known.
    constexpr double kLittle = 0.995;
    const bool together = oldest_weight >= kLittle * asked.newest_weight;
    for (uint32_t i = 0; i < asked.lane.count; ++i) {
      const uint32_t position = asked.positions[i];
      const Row row = segment.row(position);
      if (!segment.alive(position) && (row == kNoRow || !pass_.snapshot.visible(row))) continue;
      const ScanQuery::Dots dots = query.dots(unit, segment.scale(position), asked.dots[i]);
      if (together) {
        offer(q, row, query.score(dots, oldest_weight, asked.newest_weight));
      } else {
        const double weight = query.weight(segment.publish_time(position));
        offer(q, row, query.score(dots, weight, weight));
      }
    }
  }

  void offer(uint32_t q, Row row, std::optional<BoundedScore> score) {
    if (!score || score->high < asked_[q].threshold) return;
    score->row = row;
    ScoreCollector& collector = pass_.collectors[q][thread_];
    if (!collector.offer(*score, asked_[q].threshold)) return;
    pass_.thresholds[q].renew(thread_, collector.kth(), collector.at_share());
    asked_[q].threshold = pass_.thresholds[q].value();
  }

  Pass& pass_;
  const uint32_t thread_;
  std::vector<Asked> asked_;
  size_t ended_ = 0;
};

/// For a query of length 0 every item scores 0, so the newest are the answer. Found by the same
/// order of units.
std::vector<Retrieved> newest_items(const Snapshot& snapshot, uint32_t space, uint32_t k) {
  std::vector<Retrieved> items;
  const auto newer = [&snapshot](const Retrieved& a, const Retrieved& b) {
    return snapshot.before_on_tie(a.row, b.row);
  };
  const ScanView& view = snapshot.scan_view(space);
  for (uint32_t i = 0; i < view.tail_rows; ++i) {
    const Row row = view.tail->rows[i].load(std::memory_order_relaxed);
    if (row != kNoRow && snapshot.visible(row)) items.push_back({row, 0});
  }
  for (const ScanList::Step& step : view.list->steps) {
    if (items.size() >= size_t{k} + ScanSegment::kUnit) {
      std::nth_element(items.begin(), items.begin() + (k - 1), items.end(), newer);
      if (snapshot.publish_time(items[k - 1].row) > step.newest) break;
    }
    const uint32_t begin = step.unit * ScanSegment::kUnit;
    const uint32_t end = std::min(begin + ScanSegment::kUnit, step.segment->size());
    for (uint32_t position = begin; position < end; ++position) {
      const Row row = step.segment->row(position);
      if (row == kNoRow) continue;
      if (step.segment->alive(position) || snapshot.visible(row)) items.push_back({row, 0});
    }
  }
  keep_best(items, k, newer);
  return items;
}

class FusedRetriever final : public Retriever {
 public:
  explicit FusedRetriever(const ScanKernel& kernel) : kernel_(kernel) {}

  std::vector<std::vector<Retrieved>> retrieve(const Snapshot& snapshot, uint32_t space,
                                               std::span<const RetrievalQuery> queries,
                                               Executor* helpers) const override {
    std::vector<std::vector<Retrieved>> results(queries.size());
    std::vector<ScanQuery> asked;
    std::vector<size_t> numbers;
    for (size_t q = 0; q < queries.size(); ++q) {
      if (queries[q].k == 0) continue;
      const bool zero = std::all_of(queries[q].vector.begin(), queries[q].vector.end(),
                                    [](float value) { return value == 0; });
      if (zero) {
        results[q] = newest_items(snapshot, space, queries[q].k);
        continue;
      }
      asked.emplace_back(queries[q]);
      numbers.push_back(q);
      if (asked.size() < kTurn) continue;
      retrieve_together(snapshot, space, asked, numbers, helpers, results);
      asked.clear();
      numbers.clear();
    }
    if (!asked.empty()) retrieve_together(snapshot, space, asked, numbers, helpers, results);
    return results;
  }

 private:
  void retrieve_together(const Snapshot& snapshot, uint32_t space,
                         const std::vector<ScanQuery>& queries, std::span<const size_t> numbers,
                         Executor* helpers, std::vector<std::vector<Retrieved>>& results) const {
    const size_t units = snapshot.scan_view(space).list->steps.size();
    const bool shared = helpers != nullptr && units >= kUnitsWorthSharing;
    const uint32_t threads = shared ? std::clamp(helpers->threads(), 1U, kMostThreads) : 1;
    Pass pass(snapshot, space, kernel_, queries, threads);
    run_in_parallel(helpers, threads, [&pass](uint32_t thread) {
      Worker worker(pass, thread);
      if (thread == 0) worker.scan_tail();
      worker.scan();
    });
    const auto finish = [&](uint32_t q) {
      std::vector<BoundedScore> candidates = std::move(pass.collectors[q][0].kept());
      for (uint32_t t = 1; t < threads; ++t) {
        const auto& more = pass.collectors[q][t].kept();
        candidates.insert(candidates.end(), more.begin(), more.end());
      }
      results[numbers[q]] = best_by_exact_score(snapshot, space, queries[q].given(), candidates);
    };
    run_in_parallel(shared ? helpers : nullptr, static_cast<uint32_t>(queries.size()), finish);
  }

  const ScanKernel kernel_;
};

}  // namespace

std::unique_ptr<Retriever> make_fused_retriever(const ScanKernel& kernel) {
  return std::make_unique<FusedRetriever>(kernel);
}

}  // namespace feedrank
