// Selectors at 500 candidates to a slate of 50: 64 dimensions, 3 topics an item, 100 authors.

#include <random>

#include "benchmark.h"
#include "catalog/catalog.h"
#include "slate/selector.h"

namespace {

using namespace feedrank;

constexpr uint32_t kItems = 500;
constexpr uint32_t kDimensions = 64;
constexpr uint32_t kLimit = 50;

struct World {
  std::shared_ptr<Catalog> catalog = std::make_shared<Catalog>(
      CatalogSchema{IdKind::kInteger, {{"content", kDimensions, "1"}}, {}, {"creator"}});
  std::unique_ptr<const Snapshot> snapshot;
  CandidateSet candidates;
  Settings settings;
  SelectorStage stage;

  World() {
    std::mt19937_64 random(1);
    std::normal_distribution<float> normal;
    ItemBatch batch;
    for (uint32_t i = 0; i < 100; ++i) batch.author_names.push_back("author " + std::to_string(i));
    for (uint32_t i = 0; i < 40; ++i) batch.topic_names.push_back("topic " + std::to_string(i));
    batch.label_names = {"small", "large"};
    batch.labels.resize(1);
    std::vector<float> vectors;
    for (uint32_t i = 0; i < kItems; ++i) {
      batch.ids.emplace_back(int64_t{i});
      batch.publish_times.push_back(static_cast<int64_t>(random() % 1'000'000));
      batch.authors.push_back(static_cast<uint32_t>(random() % 100));
      const auto topic = static_cast<uint32_t>(random() % 38);
      batch.topics.push_back({topic, topic + 1, topic + 2});
      batch.labels[0].push_back(random() % 5 == 0 ? 0 : 1);
      for (uint32_t d = 0; d < kDimensions; ++d) vectors.push_back(normal(random));
    }
    const std::vector<uint8_t> present(kItems, 1);
    batch.spaces.push_back({vectors, present});
    catalog->upsert(batch);
    snapshot = catalog->pin();
    for (Row row = 0; row < kItems; ++row) {
      candidates.append(row);
      const bool small = snapshot->chunk_of(row).labels[0][row] == catalog->strings().find("small");
      // Small creators score lower, so that they do not get their share by themselves.
      candidates.scores.push_back(normal(random) - (small ? 1 : 0));
    }
    settings.diversity = 0.3;
    settings.limits = {5, 0, 2, 0};
  }

  SelectionResult select() const {
    return select_slate(stage, settings, kLimit, *snapshot, candidates,
                        order_by_score(*snapshot, candidates), [] { return false; });
  }
};

void measure(bench::Bench& bench, const World& world) {
  bench.measure([&world] { bench::keep(world.select()); });
}

}  // namespace

BENCHMARK("select-top-n", "top n, 500 candidates to 50, cap and spacing per author (ms)") {
  measure(bench, World());
}

BENCHMARK("select-mmr", "MMR over 64 dimensions, 500 candidates to 50 (ms)") {
  World world;
  world.stage = {"mmr", SelectorStage::Kind::kMmr, 0};
  measure(bench, world);
}

BENCHMARK("select-mmr-topics", "MMR over topics, 500 candidates to 50 (ms)") {
  World world;
  world.stage = {"mmr", SelectorStage::Kind::kMmr, {}};
  measure(bench, world);
}

BENCHMARK("select-dpp", "DPP over 64 dimensions, 500 candidates to 50 (ms)") {
  World world;
  world.stage = {"dpp", SelectorStage::Kind::kDpp, 0};
  measure(bench, world);
}

BENCHMARK("select-dpp-topics", "DPP over topics, 500 candidates to 50 (ms)") {
  World world;
  world.stage = {"dpp", SelectorStage::Kind::kDpp, {}};
  measure(bench, world);
}

BENCHMARK("select-exposure", "top n with an exposure target, 500 candidates to 50 (ms)") {
  World world;
  world.settings.exposure = {{0, "small", 0.2, 0.02}};
  measure(bench, world);
}

BENCHMARK("select-exposure-mmr", "MMR with an exposure target, 500 candidates to 50 (ms)") {
  World world;
  world.stage = {"mmr", SelectorStage::Kind::kMmr, 0};
  world.settings.exposure = {{0, "small", 0.2, 0.02}};
  measure(bench, world);
}

BENCHMARK("select-exposure-dpp", "DPP with an exposure target, 500 candidates to 50 (ms)") {
  World world;
  world.stage = {"dpp", SelectorStage::Kind::kDpp, 0};
  world.settings.exposure = {{0, "small", 0.2, 0.02}};
  measure(bench, world);
}
