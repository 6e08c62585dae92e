#include <algorithm>
#include <utility>

#include "retrieval/approximate_retriever.h"
#include "retrieval/device_retriever.h"
#include "retrieval/fused_retriever.h"

namespace feedrank {
namespace {

/// For a query of length 0 the newest are the answer, which the exact retriever knows how to find.
bool is_approximate(const RetrievalQuery& query) {
  return query.effort && std::any_of(query.vector.begin(), query.vector.end(),
                                     [](float value) { return value != 0; });
}

/// Asks each query's kind of retriever.
class CpuRetriever final : public Retriever {
 public:
  std::vector<std::vector<Retrieved>> retrieve(const Snapshot& snapshot, uint32_t space,
                                               std::span<const RetrievalQuery> queries,
                                               Executor* helpers) const override {
    std::vector<RetrievalQuery> exact;
    std::vector<RetrievalQuery> approximate;
    for (const RetrievalQuery& query : queries) {
      (is_approximate(query) ? approximate : exact).push_back(query);
    }
    if (approximate.empty()) return exact_->retrieve(snapshot, space, queries, helpers);
    auto found = approximate_->retrieve(snapshot, space, approximate, helpers);
    if (exact.empty()) return found;
    auto others = exact_->retrieve(snapshot, space, exact, helpers);
    std::vector<std::vector<Retrieved>> results;
    auto next = found.begin();
    auto other = others.begin();
    for (const RetrievalQuery& query : queries) {
      results.push_back(std::move(is_approximate(query) ? *next++ : *other++));
    }
    return results;
  }

 private:
  std::unique_ptr<Retriever> exact_ = make_fused_retriever();
  std::unique_ptr<Retriever> approximate_ = make_approximate_retriever();
};

}  // namespace

std::unique_ptr<Retriever> make_retriever(const std::string& device) {
  if (device == "cpu") return std::make_unique<CpuRetriever>();
  return make_device_retriever(device);
}

}  // namespace feedrank
