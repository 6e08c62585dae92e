// Exact decayed retrieval: one query and several, one thread and two, catalogs of several ages and
// sizes.

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "benchmark.h"
#include "catalog/catalog.h"
#include "retrieval/fused_retriever.h"
#include "runtime/executor.h"

namespace {

using namespace feedrank;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr double kTau = 24 * 3'600'000.0;
constexpr uint32_t kDimensions = 64;
constexpr uint32_t kClusters = 1000;
constexpr uint32_t kBatch = 1000;
constexpr uint32_t kQueries = 64;
constexpr uint32_t kFound = 500;

enum class Directions { kClustered, kRandom };
enum class Ages { kLikeTau, kTenTau };

struct World {
  std::shared_ptr<Catalog> catalog = std::make_shared<Catalog>(
      CatalogSchema{IdKind::kInteger, {{"tower", kDimensions, "1"}}, {}, {}});
  std::vector<std::vector<float>> users;

  World(uint32_t items, Directions directions, Ages ages) : directions_(directions) {
    for (uint32_t c = 0; c < kClusters; ++c) centres_.push_back(direction());
    std::exponential_distribution<double> like_tau(1 / kTau);
    std::uniform_real_distribution<double> ten_tau(0, 10 * kTau);
    for (uint32_t begin = 0; begin < items; begin += kBatch) {
      const uint32_t count = std::min(kBatch, items - begin);
      ItemBatch batch;
      std::vector<float> vectors;
      for (uint32_t i = 0; i < count; ++i) {
        batch.ids.emplace_back(int64_t{begin} + i);
        const double age = ages == Ages::kLikeTau ? like_tau(random_) : ten_tau(random_);
        batch.publish_times.push_back(kNow - static_cast<int64_t>(age));
        const std::vector<float> vector = drawn();
        vectors.insert(vectors.end(), vector.begin(), vector.end());
      }
      batch.authors.assign(count, StringTable::kNone);
      batch.topics.resize(count);
      const std::vector<uint8_t> present(count, 1);
      batch.spaces.push_back({vectors, present});
      catalog->upsert(batch);
    }
    for (uint32_t q = 0; q < kQueries; ++q) users.push_back(drawn());
  }

  std::vector<RetrievalQuery> queries(uint32_t first, uint32_t count) const {
    std::vector<RetrievalQuery> queries;
    for (uint32_t q = 0; q < count; ++q) {
      queries.push_back({users[(first + q) % kQueries], kNow, kTau, kFound, NegativeDots::kDecay});
    }
    return queries;
  }

 private:
  static void normalise(std::vector<float>& vector) {
    const float norm =
        std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0F));
    for (float& value : vector) value /= norm;
  }

  std::vector<float> direction() {
    std::vector<float> vector(kDimensions);
    for (float& value : vector) value = normal_(random_);
    normalise(vector);
    return vector;
  }

  /// Of a cluster: its centre and half as much noise.
  std::vector<float> drawn() {
    std::vector<float> vector = direction();
    if (directions_ == Directions::kRandom) return vector;
    const std::vector<float>& centre = centres_[random_() % kClusters];
    for (uint32_t d = 0; d < kDimensions; ++d) vector[d] = centre[d] + 0.5F * vector[d];
    normalise(vector);
    return vector;
  }

  Directions directions_;
  std::mt19937_64 random_{1};
  std::normal_distribution<float> normal_;
  std::vector<std::vector<float>> centres_;
};

void measure(bench::Bench& bench, const World& world, uint32_t count, uint32_t threads) {
  const auto retriever = make_fused_retriever();
  Executor executor({threads, 16, {}});
  uint32_t first = 0;
  bench.measure([&] {
    const auto snapshot = world.catalog->pin();
    bench::keep(retriever->retrieve(*snapshot, 0, world.queries(first, count),
                                    threads > 1 ? &executor : nullptr));
    first += count;
  });
}

/// Both at once, as the sizes below 5M are quickly filled.
void measure_size(bench::Bench& bench, uint32_t items) {
  const World world(items, Directions::kClustered, Ages::kLikeTau);
  measure(bench, world, 8, 2);
  bench.report("8 queries 2 threads ms", bench.times().median);
  measure(bench, world, 1, 1);
}

}  // namespace

BENCHMARK("retrieval-1q1t", "exact decayed top 500 of 1M x 64, one query, one thread") {
  measure(bench, World(1'000'000, Directions::kClustered, Ages::kLikeTau), 1, 1);
}
BENCHMARK("retrieval-8q2t", "exact decayed top 500 of 1M x 64, eight queries, two threads") {
  measure(bench, World(1'000'000, Directions::kClustered, Ages::kLikeTau), 8, 2);
}
BENCHMARK("retrieval-10tau",
          "exact decayed top 500 of 1M x 64 that spans 10 tau, one query, one thread") {
  measure(bench, World(1'000'000, Directions::kClustered, Ages::kTenTau), 1, 1);
}
BENCHMARK("retrieval-worst",
          "exact decayed top 500 of 1M x 64 in random directions, one query, one thread") {
  measure(bench, World(1'000'000, Directions::kRandom, Ages::kLikeTau), 1, 1);
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
