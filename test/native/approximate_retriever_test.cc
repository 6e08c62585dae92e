// Approximate retrieval against the definition: at full effort the same answers, below it nearly
// all, and what was written or removed last seen at once.

#include "retrieval/approximate_retriever.h"

#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "brute_force.h"
#include "check.h"
#include "retrieval/fused_retriever.h"
#include "retrieval/inverted_lists.h"
#include "retrieval/inverted_lists_builder.h"
#include "retrieval/recall.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kNow = 1'700'000'000'000;
constexpr uint32_t kItems = InvertedLists::kLeastItems + 5'000;

using MakeVector = std::function<std::vector<float>(Random&)>;

/// One batch, so that it becomes one segment, large enough for lists.
std::shared_ptr<Catalog> listed_catalog(uint32_t dimensions, const MakeVector& make,
                                        uint32_t items = kItems, uint64_t seed = 1) {
  const auto catalog = std::make_shared<Catalog>(
      CatalogSchema{IdKind::kInteger, {{"tower", dimensions, "1", true}}, {}, {}});
  Random random(seed);
  std::vector<TestItem> batch;
  for (uint32_t i = 0; i < items; ++i) {
    batch.push_back({int64_t{i}, kNow - random.below(48) * kHour, {}, {}, {make(random)}});
  }
  upsert(*catalog, batch);
  return catalog;
}

void cluster(Catalog& catalog) {
  while (catalog.cluster_some()) {
  }
}

uint32_t listed_segments(const Snapshot& snapshot) {
  uint32_t listed = 0;
  for (const auto& segment : snapshot.scan_view(0).list->segments) {
    if (segment->lists() != nullptr) ++listed;
  }
  return listed;
}

RetrievalQuery query_of(std::span<const float> vector, uint32_t k, double effort,
                        double tau = 24.0 * kHour, NegativeDots negatives = NegativeDots::kDecay) {
  return {vector, kNow, tau, k, negatives, effort};
}

std::vector<Retrieved> found_by(const Retriever& retriever, const Snapshot& snapshot,
                                const RetrievalQuery& query) {
  return retriever.retrieve(snapshot, 0, std::span(&query, 1), nullptr).front();
}

void expect_same(const std::vector<Retrieved>& found, const std::vector<Retrieved>& expected) {
  EXPECT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    EXPECT_EQ(found[i].row, expected[i].row);
    EXPECT_NEAR(found[i].score, expected[i].score, 1e-12 * std::abs(expected[i].score));
    if (found[i].row != expected[i].row) return;
  }
}

/// Full effort, on each kernel, gives what the definition says.
void expect_exact(const Catalog& catalog, const Snapshot& snapshot,
                  const std::vector<std::vector<float>>& vectors) {
  const BruteForceRetriever definition;
  EXPECT(catalog.schema().any_approximate());
  for (const ScanKernel& kernel : scan_kernels()) {
    const auto retriever = make_approximate_retriever(kernel);
    for (const auto& vector : vectors) {
      for (const uint32_t k : {1U, 50U}) {
        for (const auto negatives : {NegativeDots::kDecay, NegativeDots::kDrop}) {
          const RetrievalQuery query = query_of(vector, k, 1, 24.0 * kHour, negatives);
          expect_same(found_by(*retriever, snapshot, query), found_by(definition, snapshot, query));
        }
      }
    }
  }
}

std::vector<float> normal_vector(Random& random, uint32_t dimensions) {
  std::vector<float> vector;
  for (uint32_t d = 0; d < dimensions; ++d) {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += random.between(-1, 1);
    vector.push_back(static_cast<float>(sum));
  }
  return vector;
}

/// Near one of 64 centres.
MakeVector clustered(uint32_t dimensions) {
  Random random(99);
  std::vector<std::vector<float>> centres;
  for (int c = 0; c < 64; ++c) centres.push_back(normal_vector(random, dimensions));
  return [centres, dimensions](Random& seen) {
    std::vector<float> vector = centres[static_cast<size_t>(seen.below(64))];
    const std::vector<float> noise = normal_vector(seen, dimensions);
    for (uint32_t d = 0; d < dimensions; ++d) vector[d] += 0.4F * noise[d];
    return vector;
  };
}

}  // namespace

TEST_CASE("full effort is exact, whatever the vectors are") {
  struct Kind {
    const char* name;
    uint32_t dimensions;
    MakeVector make;
  };
  const std::vector<Kind> kinds = {
      {"clusters", 12, clustered(12)},
      {"random", 8, [](Random& random) { return normal_vector(random, 8); }},
      {"one dimension", 1, [](Random& random) { return normal_vector(random, 1); }},
      {"all equal", 5,
       [](Random&) {
         return std::vector<float>{1, -2, 3, 0.5F, 0};
       }},
      {"zeros among them", 4,
       [](Random& random) {
         return random.chance(0.5) ? std::vector<float>(4, 0) : normal_vector(random, 4);
       }},
      {"lengths far apart", 4,
       [](Random& random) {
         std::vector<float> vector = normal_vector(random, 4);
         const auto factor = static_cast<float>(std::pow(10.0, random.between(-20, 14)));
         for (float& value : vector) value *= factor;
         return vector;
       }},
  };
  for (const Kind& kind : kinds) {
    const auto catalog = listed_catalog(kind.dimensions, kind.make);
    cluster(*catalog);
    const auto snapshot = catalog->pin();
    EXPECT_EQ(listed_segments(*snapshot), 1U);
    Random random(7);
    expect_exact(*catalog, *snapshot, {normal_vector(random, kind.dimensions), kind.make(random)});
  }
}

TEST_CASE("a query of length 0, or too short to be coded, is answered") {
  const auto catalog = listed_catalog(3, [](Random& random) { return normal_vector(random, 3); });
  cluster(*catalog);
  const auto snapshot = catalog->pin();
  const auto retriever = make_retriever("cpu");
  const BruteForceRetriever definition;
  for (const float value : {0.0F, 1e-38F}) {
    const std::vector<float> vector = {value, 0, -value};
    const RetrievalQuery query = query_of(vector, 20, 1);
    expect_same(found_by(*retriever, *snapshot, query), found_by(definition, *snapshot, query));
  }
}

TEST_CASE("the default effort finds nearly all, and less of it no more") {
  constexpr uint32_t kDimensions = 32;
  for (const bool in_clusters : {true, false}) {
    const MakeVector make = in_clusters ? clustered(kDimensions) : [](Random& random) {
      return normal_vector(random, kDimensions);
    };
    const auto catalog = listed_catalog(kDimensions, make);
    cluster(*catalog);
    const auto snapshot = catalog->pin();
    Random random(3);
    std::vector<std::vector<float>> vectors;
    for (int q = 0; q < 16; ++q) vectors.push_back(make(random));
    std::map<double, double> recalls;
    for (const double effort : {0.0, kDefaultEffort, 1.0}) {
      std::vector<RetrievalQuery> queries;
      for (const auto& vector : vectors) queries.push_back(query_of(vector, 500, effort));
      const Recall recall = measure_recall(*snapshot, 0, queries);
      EXPECT_NEAR(recall.listed, 1, 1e-12);
      EXPECT(recall.exact_ms > 0 && recall.approximate_ms > 0);
      recalls[effort] = recall.found;
    }
    EXPECT(recalls[0] <= recalls[kDefaultEffort]);
    EXPECT(recalls[kDefaultEffort] >= 0.95);
    EXPECT_EQ(recalls[1], 1);
    // Else nothing was approximate, and the test would say nothing.
    EXPECT(recalls[0] < 1);
  }
}

TEST_CASE("the same writes give the same lists and the same answers") {
  const MakeVector make = clustered(16);
  std::vector<std::vector<std::pair<std::string, double>>> answers;
  for (int run = 0; run < 2; ++run) {
    const auto catalog = listed_catalog(16, make);
    cluster(*catalog);
    const auto snapshot = catalog->pin();
    Random random(5);
    auto& answer = answers.emplace_back();
    for (int q = 0; q < 8; ++q) {
      const std::vector<float> vector = make(random);
      const auto found =
          found_by(*make_approximate_retriever(), *snapshot, query_of(vector, 100, 0.1));
      for (const Retrieved& item : found) {
        answer.emplace_back(describe(snapshot->id(item.row)), item.score);
      }
    }
  }
  EXPECT(answers[0] == answers[1]);
}

TEST_CASE("every kernel makes the same lists") {
  const auto catalog = listed_catalog(16, clustered(16));
  const auto snapshot = catalog->pin();
  std::vector<std::vector<uint32_t>> positions;
  for (const ScanKernel& kernel : scan_kernels()) {
    InvertedListsBuilder builder(snapshot->scan_view(0).list->segments.front(), kernel);
    while (builder.step()) {
    }
    const auto lists = builder.take();
    positions.emplace_back(lists->positions.get(), lists->positions.get() + lists->places);
    // Each item of the segment is in one place.
    std::multiset<uint32_t> met(positions.back().begin(), positions.back().end());
    met.erase(InvertedLists::kNoPosition);
    EXPECT_EQ(met.size(), size_t{kItems});
    EXPECT_EQ(std::set<uint32_t>(met.begin(), met.end()).size(), size_t{kItems});
    EXPECT(positions.back() == positions.front());
  }
}

TEST_CASE(
    "writes and removals are seen at once, before and after clustering, and not by the past") {
  constexpr uint32_t kDimensions = 6;
  const MakeVector make = [](Random& random) { return normal_vector(random, kDimensions); };
  const auto catalog = listed_catalog(kDimensions, make);
  const auto retriever = make_approximate_retriever();
  const std::vector<float> vector = {1, 2, -1, 0.5F, 0, 1};
  const auto best = [&](const Snapshot& snapshot) {
    const auto found = found_by(*retriever, snapshot, query_of(vector, 1, kDefaultEffort));
    return describe(snapshot.id(found.front().row));
  };
  std::shared_ptr<const Snapshot> past = catalog->pin();
  const std::string at_first = best(*past);
  for (int64_t round = 0; round < 3; ++round) {
    // The first round has no lists yet, the second gets them half-way.
    const int64_t id = 1'000'000 + round;
    std::vector<float> large = vector;
    for (float& value : large) value *= 100;
    const std::string before = best(*catalog->pin());
    upsert(*catalog, {{id, kNow, {}, {}, {large}}});
    const auto with = catalog->pin();
    EXPECT_EQ(best(*with), std::to_string(id));
    if (round == 1) cluster(*catalog);
    EXPECT_EQ(best(*with), std::to_string(id));
    remove(*catalog, {id});
    EXPECT_EQ(best(*catalog->pin()), before);
    EXPECT_EQ(best(*with), std::to_string(id));
    EXPECT_EQ(best(*past), at_first);
  }
  EXPECT_EQ(listed_segments(*catalog->pin()), 1U);
  // An item of the lists goes, and one that was there gets another vector.
  remove(*catalog, {ItemId(int64_t{std::stoll(at_first)})});
  EXPECT(best(*catalog->pin()) != at_first);
  EXPECT_EQ(best(*past), at_first);
  upsert(*catalog, {{int64_t{17}, kNow, {}, {}, {{1000, 2000, -1000, 500, 0, 1000}}}});
  EXPECT_EQ(best(*catalog->pin()), "17");
  EXPECT_EQ(best(*past), at_first);
  expect_exact(*catalog, *catalog->pin(), {vector});
}

TEST_CASE("items that were removed before the lists were made are there for older snapshots") {
  const MakeVector make = [](Random& random) { return normal_vector(random, 6); };
  const auto catalog = listed_catalog(6, make);
  const auto past = catalog->pin();
  std::vector<ItemId> gone;
  for (int64_t id = 0; id < 10'000; ++id) gone.emplace_back(3 * id);
  remove(*catalog, gone);
  cluster(*catalog);
  EXPECT_EQ(listed_segments(*past), 1U);
  Random random(2);
  const std::vector<std::vector<float>> vectors = {make(random)};
  expect_exact(*catalog, *past, vectors);
  expect_exact(*catalog, *catalog->pin(), vectors);
}

TEST_CASE("small segments and spaces that are to be exact get no lists") {
  const auto small = listed_catalog(
      2, [](Random& random) { return normal_vector(random, 2); }, 1'000);
  EXPECT(!small->cluster_some());
  EXPECT_EQ(listed_segments(*small->pin()), 0U);
  const auto exact = integer_catalog(2);
  EXPECT(!exact->schema().any_approximate());
  EXPECT(!exact->cluster_some());
}

TEST_CASE("segments share centroids while these fit, and learn others where they do not") {
  constexpr uint32_t kDimensions = 16;
  const auto catalog = listed_catalog(kDimensions, clustered(kDimensions));
  cluster(*catalog);
  const auto more = [&](int64_t first, const MakeVector& make) {
    Random random(11);
    std::vector<TestItem> batch;
    for (uint32_t i = 0; i < kItems; ++i) {
      batch.push_back({first + i, kNow, {}, {}, {make(random)}});
    }
    upsert(*catalog, batch);
    cluster(*catalog);
  };
  more(1'000'000, clustered(kDimensions));
  more(2'000'000, [](Random& random) { return normal_vector(random, kDimensions); });
  const auto snapshot = catalog->pin();
  std::set<const Centroids*> distinct;
  for (const auto& segment : snapshot->scan_view(0).list->segments) {
    distinct.insert(segment->lists()->centroids.get());
  }
  EXPECT_EQ(listed_segments(*snapshot), 3U);
  EXPECT_EQ(distinct.size(), size_t{2});
  Random random(8);
  expect_exact(*catalog, *snapshot, {normal_vector(random, kDimensions)});
}
