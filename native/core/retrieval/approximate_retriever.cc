#include "retrieval/approximate_retriever.h"

#include <utility>

#include "catalog/snapshot.h"
#include "retrieval/exact_scores.h"
#include "retrieval/list_search.h"
#include "retrieval/scan_pass.h"
#include "runtime/parallel.h"

namespace feedrank {
namespace {

class ApproximateRetriever final : public Retriever {
 public:
  explicit ApproximateRetriever(const ScanKernel& kernel) : kernel_(kernel) {}

  std::vector<std::vector<Retrieved>> retrieve(const Snapshot& snapshot, uint32_t space,
                                               std::span<const RetrievalQuery> queries,
                                               Executor* helpers) const override {
    // Lists that are finished meanwhile are for later searches, so that nothing is met twice.
    std::vector<ListedSegment> listed;
    std::vector<std::shared_ptr<ScanSegment>> others;
    for (const auto& segment : snapshot.scan_view(space).list->segments) {
      const InvertedLists* lists = segment->lists();
      if (lists != nullptr) {
        listed.push_back({segment.get(), lists});
      } else {
        others.push_back(segment);
      }
    }
    const ScanList rest = ScanList::of(std::move(others));
    std::vector<std::vector<Retrieved>> results(queries.size());
    // One thread a query: with several, the answers would depend on which was the faster.
    run_in_parallel(helpers, static_cast<uint32_t>(queries.size()), [&](uint32_t q) {
      if (queries[q].k == 0) return;
      const std::vector<ScanQuery> asked(1, ScanQuery(queries[q]));
      ScanPass pass(snapshot, space, kernel_, asked, 1, rest);
      ScanWorker worker(pass, 0);
      worker.scan_tail();
      if (!listed.empty()) ListSearch(pass, worker, listed).run();
      worker.scan();
      std::vector<BoundedScore> candidates = pass.take_found(0);
      results[q] = best_by_exact_score(snapshot, space, queries[q], candidates);
    });
    return results;
  }

 private:
  const ScanKernel kernel_;
};

}  // namespace

std::unique_ptr<Retriever> make_approximate_retriever(const ScanKernel& kernel) {
  return std::make_unique<ApproximateRetriever>(kernel);
}

}  // namespace feedrank
