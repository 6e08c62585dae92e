// Approximate retrieval beside the exact one, by turns in one process.

#include <algorithm>
#include <chrono>
#include <string>
#include <unordered_set>
#include <vector>

#include "benchmark.h"
#include "data_set.h"
#include "filled_catalog.h"
#include "retrieval/retriever.h"

namespace {

using namespace feedrank;
using feedrank::bench::DataSet;
using Clock = std::chrono::steady_clock;

constexpr uint32_t kItems = 5'000'000;
constexpr uint32_t kTurns = 6;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Each query in turn exactly and approximately, on one thread, with the default effort.
void measure(bench::Bench& bench, const std::string& name, uint32_t k) {
  DataSet set = DataSet::generate(name, kItems);
  const auto catalog = bench::filled_catalog(set, true);
  set.vectors = {};  // The catalog has its own.
  const auto begin = Clock::now();
  while (catalog->cluster_some()) {
  }
  const double clustering_ms = milliseconds_since(begin);
  const auto snapshot = catalog->pin();
  const auto retriever = make_retriever("cpu");
  std::vector<double> exact_ms;
  std::vector<double> approximate_ms;
  std::vector<double> ratios;  // of each turn
  size_t hits = 0;
  for (uint32_t turn = 0; turn <= kTurns; ++turn) {
    std::vector<double> exact_turn;
    std::vector<double> approximate_turn;
    for (uint32_t q = 0; q < DataSet::kQueries; ++q) {
      const RetrievalQuery exact{set.query(q), DataSet::kNow, DataSet::kTauMs, k};
      RetrievalQuery approximate = exact;
      approximate.effort = kDefaultEffort;
      const auto timed = [&](const RetrievalQuery& query, std::vector<double>& ms) {
        const auto asked = Clock::now();
        auto found = retriever->retrieve(*snapshot, 0, std::span(&query, 1), nullptr);
        ms.push_back(milliseconds_since(asked));
        return std::move(found.front());
      };
      const auto truth = timed(exact, exact_turn);
      const auto found = timed(approximate, approximate_turn);
      if (turn > 0) continue;
      std::unordered_set<Row> rows;
      for (const Retrieved& item : truth) rows.insert(item.row);
      for (const Retrieved& item : found) hits += rows.count(item.row);
    }
    if (turn == 0) continue;  // The first warms up.
    ratios.push_back(median(approximate_turn) / median(exact_turn));
    exact_ms.insert(exact_ms.end(), exact_turn.begin(), exact_turn.end());
    approximate_ms.insert(approximate_ms.end(), approximate_turn.begin(), approximate_turn.end());
  }
  bench.report("recall", static_cast<double>(hits) / (static_cast<double>(k) * DataSet::kQueries));
  bench.report("exact_ms", median(exact_ms));
  bench.report("ratio", median(approximate_ms) / median(exact_ms));
  bench.report("ratio_low", *std::min_element(ratios.begin(), ratios.end()));
  bench.report("ratio_high", *std::max_element(ratios.begin(), ratios.end()));
  bench.report("clustering_us_per_item", clustering_ms * 1000 / kItems);
  bench.take(std::move(approximate_ms));
}

}  // namespace

BENCHMARK("retrieval-ann-k500", "approximate decayed top 500 of 5M x 64, one query, one thread") {
  measure(bench, "clustered", 500);
}
BENCHMARK("retrieval-ann-k10", "approximate decayed top 10 of 5M x 64, one query, one thread") {
  measure(bench, "clustered", 10);
}
BENCHMARK("retrieval-ann-random-k500",
          "approximate decayed top 500 of 5M x 64 in random directions, one query, one thread") {
  measure(bench, "random", 500);
}
BENCHMARK("retrieval-ann-random-k10",
          "approximate decayed top 10 of 5M x 64 in random directions, one query, one thread") {
  measure(bench, "random", 10);
}
