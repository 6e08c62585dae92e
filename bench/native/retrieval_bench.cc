// Exact decayed retrieval: one query and several, one thread and two, catalogs of several ages and
// sizes.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "benchmark.h"
#include "catalog/catalog.h"
#include "data_set.h"
#include "retrieval/fused_retriever.h"
#include "runtime/executor.h"

namespace {

using namespace feedrank;
using feedrank::bench::DataSet;

constexpr uint32_t kBatch = 1000;
constexpr uint32_t kFound = 500;

/// A catalog of a set's items, written in the set's order, which is no order of ages.
std::shared_ptr<Catalog> filled(const DataSet& set) {
  auto catalog = std::make_shared<Catalog>(
      CatalogSchema{IdKind::kInteger, {{"tower", set.dimensions, "1"}}, {}, {}});
  const std::vector<uint8_t> present(kBatch, 1);
  for (uint32_t begin = 0; begin < set.items; begin += kBatch) {
    const uint32_t count = std::min(kBatch, set.items - begin);
    ItemBatch batch;
    for (uint32_t i = begin; i < begin + count; ++i) {
      batch.ids.emplace_back(int64_t{i});
      batch.publish_times.push_back(set.publish_times[i]);
    }
    batch.authors.assign(count, StringTable::kNone);
    batch.topics.resize(count);
    batch.spaces.push_back(
        {std::span(set.vectors)
             .subspan(size_t{begin} * set.dimensions, size_t{count} * set.dimensions),
         std::span(present).first(count)});
    catalog->upsert(batch);
    catalog->tidy();
  }
  while (catalog->tidy()) {
  }
  return catalog;
}

/// A round asks `together` queries at once.
void measure(bench::Bench& bench, DataSet set, uint32_t together, uint32_t threads) {
  const auto catalog = filled(set);
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
