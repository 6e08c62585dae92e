#include "retrieval/recall.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <vector>

#include "retrieval/inverted_lists.h"

namespace feedrank {
namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double listed_share(const Snapshot& snapshot, uint32_t space) {
  const ScanView& view = snapshot.scan_view(space);
  double listed = 0;
  double all = view.tail_rows;
  for (const auto& segment : view.list->segments) {
    all += segment->size();
    if (segment->lists() != nullptr) listed += segment->size();
  }
  return all > 0 ? listed / all : 0;
}

}  // namespace

Recall measure_recall(const Snapshot& snapshot, uint32_t space,
                      std::span<const RetrievalQuery> queries) {
  const auto retriever = make_retriever("cpu");
  const auto answer = [&](const RetrievalQuery& query, std::vector<double>& ms) {
    const auto begin = std::chrono::steady_clock::now();
    auto found = retriever->retrieve(snapshot, space, std::span(&query, 1), nullptr);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    ms.push_back(took.count());
    return std::move(found.front());
  };
  std::vector<double> exact_ms;
  std::vector<double> approximate_ms;
  size_t wanted = 0;
  size_t hits = 0;
  for (const RetrievalQuery& query : queries) {
    RetrievalQuery exactly = query;
    exactly.effort.reset();
    std::unordered_set<Row> rows;
    for (const Retrieved& item : answer(exactly, exact_ms)) rows.insert(item.row);
    wanted += rows.size();
    for (const Retrieved& item : answer(query, approximate_ms)) hits += rows.count(item.row);
  }
  Recall recall;
  if (wanted > 0) recall.found = static_cast<double>(hits) / static_cast<double>(wanted);
  recall.exact_ms = median(std::move(exact_ms));
  recall.approximate_ms = median(std::move(approximate_ms));
  recall.listed = listed_share(snapshot, space);
  return recall;
}

}  // namespace feedrank
