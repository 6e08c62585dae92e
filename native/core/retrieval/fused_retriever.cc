#include "retrieval/fused_retriever.h"

#include <algorithm>
#include <vector>

#include "catalog/catalog.h"
#include "retrieval/exact_scores.h"
#include "retrieval/scan_pass.h"
#include "retrieval/scan_segment.h"
#include "runtime/executor.h"
#include "runtime/parallel.h"

namespace feedrank {
namespace {

/// Threads beyond this would wait for memory rather than read it.
constexpr uint32_t kMostThreads = 8;
/// The fewest units that make a second thread worth waking.
constexpr uint32_t kUnitsWorthSharing = 16;

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
      if (asked.size() < ScanPass::kMostQueries) continue;
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
    const ScanList& list = *snapshot.scan_view(space).list;
    const bool shared = helpers != nullptr && list.steps.size() >= kUnitsWorthSharing;
    const uint32_t threads = shared ? std::clamp(helpers->threads(), 1U, kMostThreads) : 1;
    ScanPass pass(snapshot, space, kernel_, queries, threads, list);
    run_in_parallel(helpers, threads, [&pass](uint32_t thread) {
      ScanWorker worker(pass, thread);
      if (thread == 0) worker.scan_tail();
      worker.scan();
    });
    // Several queries are shared out as they are, and one by its candidates.
    Executor* const sharing = shared ? helpers : nullptr;
    Executor* const within = queries.size() == 1 ? sharing : nullptr;
    const auto finish = [&](uint32_t q) {
      std::vector<BoundedScore> candidates = pass.take_found(q);
      results[numbers[q]] =
          best_by_exact_score(snapshot, space, queries[q].given(), candidates, within);
    };
    run_in_parallel(sharing, static_cast<uint32_t>(queries.size()), finish);
  }

  const ScanKernel kernel_;
};

}  // namespace

std::unique_ptr<Retriever> make_fused_retriever(const ScanKernel& kernel) {
  return std::make_unique<FusedRetriever>(kernel);
}

}  // namespace feedrank
