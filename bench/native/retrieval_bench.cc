// Exact decayed retrieval: one query and several, one thread and two, catalogs of several ages and
// sizes.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "benchmark.h"
#include "catalog/catalog.h"
#include "data_set.h"
#include "filled_catalog.h"
#include "retrieval/fused_retriever.h"
#include "runtime/executor.h"

namespace {

using namespace feedrank;
using feedrank::bench::DataSet;

constexpr uint32_t kFound = 500;

/// A round asks `together` queries at once.
void measure(bench::Bench& bench, DataSet set, uint32_t together, uint32_t threads) {
  const auto catalog = bench::filled_catalog(set);
  set.vectors = {};  // The catalog has its own.
  const auto retriever = make_fused_retriever();
  Executor executor({threads, 16, {}});
  size_t next = 0;
  bench.measure([&] {
    std::vector<RetrievalQuery> queries;
    for (uint32_t q = 0; q < together; ++q) {
      queries.push_back(
          {set.query(next++), DataSet::kNow, DataSet::kTauMs, kFound, NegativeDots::kDecay});
    }
    bench::keep(
        retriever->retrieve(*catalog->pin(), 0, queries, threads > 1 ? &executor : nullptr));
  });
}

void measure_size(bench::Bench& bench, uint32_t items) {
  measure(bench, DataSet::generate("clustered", items), 1, 1);
}

}  // namespace

BENCHMARK("retrieval-1q1t", "exact decayed top 500 of 1M x 64, one query, one thread") {
  measure(bench, DataSet::of("clustered"), 1, 1);
}
BENCHMARK("retrieval-8q2t", "exact decayed top 500 of 1M x 64, eight queries, two threads") {
  measure(bench, DataSet::of("clustered"), 8, 2);
}
BENCHMARK("retrieval-10tau",
          "exact decayed top 500 of 1M x 64 that spans 10 tau, one query, one thread") {
  measure(bench, DataSet::of("ten-tau"), 1, 1);
}
BENCHMARK("retrieval-worst",
          "exact decayed top 500 of 1M x 64 in random directions, one query, one thread") {
  measure(bench, DataSet::of("random"), 1, 1);
}
BENCHMARK("retrieval-size-10k", "exact decayed top 500 of 10,000 x 64, one query, one thread") {
  measure_size(bench, 10'000);
}
BENCHMARK("retrieval-size-100k", "exact decayed top 500 of 100,000 x 64, one query, one thread") {
  measure_size(bench, 100'000);
}
BENCHMARK("retrieval-size-1m", "exact decayed top 500 of 1M x 64, one query, one thread") {
  measure_size(bench, 1'000'000);
}
BENCHMARK("retrieval-size-5m", "exact decayed top 500 of 5M x 64, one query, one thread") {
  measure_size(bench, 5'000'000);
}
