// One request from query to slate in the core, without Node: decayed dot over clustered items,
// features, the ranker of the goals, the best 50. How its cost grows with the catalog, with
// candidates, with dimensions, and with requests in flight.

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "../../test/native/temporary_folder.h"
#include "benchmark.h"
#include "catalog/catalog.h"
#include "data_set.h"
#include "features/engagement.h"
#include "ranker_files.h"
#include "ranking/model_backend.h"
#include "runtime/executor.h"
#include "slate/request.h"

namespace {

using namespace feedrank;
using feedrank::bench::DataSet;
using feedrank::bench::kRankerFeatures;

constexpr uint32_t kStored = kRankerFeatures - 2;
constexpr uint32_t kLimit = 50;

struct Size {
  uint32_t items = 100'000;
  uint32_t dimensions = 64;
  uint32_t candidates = 2'000;
  uint32_t together = 1;
};

struct World {
  std::shared_ptr<Catalog> catalog;
  std::shared_ptr<Engagement> engagement;
  std::shared_ptr<const Retriever> retriever = make_retriever("cpu");
  std::shared_ptr<Plan> plan = std::make_shared<Plan>();
  std::vector<float> queries;
  Settings settings;

  explicit World(const Size& size) {
    fill(DataSet::generate("clustered", size.items, size.dimensions));
    Engagement::Options options;
    options.half_lives_ms = {3'600'000};
    engagement = std::make_shared<Engagement>(catalog, options);
    plan->generators.push_back({"decayed-dot", GeneratorStage::Kind::kDecayedDot});
    plan->enricher_name = "features";
    for (uint32_t c = 0; c < kStored; ++c) {
      plan->features.features.push_back({FeatureSource::kColumn, {}, {}, c, 0});
    }
    plan->features.features.push_back({FeatureSource::kDot, {}, {}, 0, 0});
    plan->features.features.push_back({FeatureSource::kAge, Transformation::kLog1p, {}, 0, 0});
    const testing::TemporaryFolder folder;
    bench::write_ranker(folder.path(""));
    ModelOptions model;
    model.bytes = folder.bytes("ranker.pt");
    model.name = "ranker.pt";
    model.features = kRankerFeatures;
    model.threads = 2;
    plan->ranker.name = "ranker";
    plan->ranker.kind = RankerStage::Kind::kModel;
    plan->ranker.model = std::make_shared<Model>(model);
    plan->ranker.terms = plan->ranker.model->heads();
    for (uint32_t f = 0; f < kRankerFeatures; ++f) plan->ranker.columns.push_back(f);
    plan->selector.name = "top-n";
    settings.tau_ms = DataSet::kTauMs;
    settings.max_candidates = size.candidates;
    settings.quotas = {size.candidates};
    settings.head_weights = {1};
  }

  void fill(const DataSet& data) {
    CatalogSchema schema{IdKind::kInteger, {{"content", data.dimensions, "1"}}, {}, {}};
    for (uint32_t c = 0; c < kStored; ++c) schema.columns.push_back("stored" + std::to_string(c));
    catalog = std::make_shared<Catalog>(schema);
    queries = data.queries;
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal;
    // The same values again for each batch: only where they lie costs time.
    constexpr uint32_t kBatch = 5'000;
    std::vector<double> stored(size_t{kBatch} * kStored);
    for (double& value : stored) value = normal(random);
    const std::vector<uint8_t> present(kBatch, 1);
    for (uint32_t begin = 0; begin < data.items; begin += kBatch) {
      const uint32_t count = std::min(kBatch, data.items - begin);
      ItemBatch batch;
      for (uint32_t i = 0; i < count; ++i) {
        batch.ids.emplace_back(int64_t{begin + i});
        batch.publish_times.push_back(data.publish_times[begin + i]);
      }
      batch.authors.assign(count, StringTable::kNone);
      batch.topics.resize(count);
      for (uint32_t c = 0; c < kStored; ++c) {
        batch.columns.push_back(std::span(stored).subspan(size_t{c} * kBatch, count));
      }
      const size_t width = data.dimensions;
      batch.spaces.push_back({std::span(data.vectors).subspan(begin * width, count * width),
                              std::span(present).first(count)});
      catalog->upsert(batch);
      catalog->tidy();
    }
    while (catalog->tidy()) {
    }
  }

  Query query(size_t number, uint32_t dimensions) const {
    const auto begin =
        queries.begin() + static_cast<ptrdiff_t>(number % DataSet::kQueries * dimensions);
    Query query;
    query.user_vectors = {{0, dimensions, {begin, begin + dimensions}}};
    query.now = DataSet::kNow;
    query.limit = kLimit;
    return query;
  }
};

/// Runs so many requests at once on two threads, and waits for them.
void run_together(const World& world, const Size& size, Executor& executor, size_t& number,
                  const std::function<void(const Request&)>& done) {
  std::mutex mutex;
  std::condition_variable ended;
  uint32_t left = size.together;
  for (uint32_t i = 0; i < size.together; ++i) {
    executor.submit([&, query = world.query(number++, size.dimensions)] {
      Request request(world.engagement, world.plan, world.retriever, query, world.settings);
      request.run(
          {}, [] { return false; }, &executor);
      std::scoped_lock lock(mutex);
      done(request);
      if (--left == 0) ended.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  while (left > 0) ended.wait_for(lock, std::chrono::hours(1));
}

void measure(bench::Bench& bench, const Size& size) {
  const World world(size);
  Executor executor({2, 1024, prepare_torch_thread});
  size_t number = 0;
  std::vector<std::vector<double>> stages;
  std::vector<std::string> names;
  bench.measure([&] {
    run_together(world, size, executor, number, [&](const Request& request) {
      bench::keep(request.order());
      const auto& lines = request.trace().stages;
      stages.resize(lines.size());
      names.resize(lines.size());
      for (size_t s = 0; s < lines.size(); ++s) {
        if (!lines[s].skipped.empty()) throw std::runtime_error(lines[s].skipped);
        stages[s].push_back(lines[s].ms);
        names[s] = lines[s].kind;
      }
    });
  });
  for (size_t s = 0; s < stages.size(); ++s) {
    const auto middle = stages[s].begin() + static_cast<ptrdiff_t>(stages[s].size() / 2);
    std::nth_element(stages[s].begin(), middle, stages[s].end());
    bench.report(names[s] + "Ms", *middle);
  }
  bench.report("requestsPerSecond", 1000.0 * size.together / bench.times().median);
}

}  // namespace

#define WHOLE_PATH(id, what, ...)                                                        \
  BENCHMARK(id, "query to slate, 128 features, 128-512-256-1, float32, " what " (ms)") { \
    measure(bench, Size{__VA_ARGS__});                                                   \
  }

WHOLE_PATH("path-items-10k", "10,000 items x 64, 2,000 candidates", .items = 10'000)
WHOLE_PATH("path-items-100k", "100,000 items x 64, 2,000 candidates", .items = 100'000)
WHOLE_PATH("path-items-1m", "1,000,000 items x 64, 2,000 candidates", .items = 1'000'000)
WHOLE_PATH("path-items-5m", "5,000,000 items x 64, 2,000 candidates", .items = 5'000'000)
WHOLE_PATH("path-candidates-500", "100,000 items x 64, 500 candidates", .candidates = 500)
WHOLE_PATH("path-candidates-1000", "100,000 items x 64, 1,000 candidates", .candidates = 1'000)
WHOLE_PATH("path-candidates-4000", "100,000 items x 64, 4,000 candidates", .candidates = 4'000)
WHOLE_PATH("path-dimensions-32", "100,000 items x 32, 2,000 candidates", .dimensions = 32)
WHOLE_PATH("path-dimensions-128", "100,000 items x 128, 2,000 candidates", .dimensions = 128)
WHOLE_PATH("path-dimensions-256", "100,000 items x 256, 2,000 candidates", .dimensions = 256)
WHOLE_PATH("path-together-2", "100,000 items x 64, 2 requests at once", .together = 2)
WHOLE_PATH("path-together-4", "100,000 items x 64, 4 requests at once", .together = 4)
WHOLE_PATH("path-together-8", "100,000 items x 64, 8 requests at once", .together = 8)
