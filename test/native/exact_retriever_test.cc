#include <torch/script.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "brute_force.h"
#include "check.h"
#include "retrieval/device_retriever.h"
#include "retrieval/fused_retriever.h"
#include "runtime/executor.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kNow = 1'700'000'000'000;

enum class Values { kPlain, kTies, kExtreme, kTiny };

float value(Random& random, Values values) {
  switch (values) {
    case Values::kPlain:
      return static_cast<float>(random.between(-1, 1));
    case Values::kTies:
      return static_cast<float>(random.below(5) - 2);
    case Values::kExtreme:
      return static_cast<float>(random.between(-1, 1) * std::pow(10.0, random.between(-20, 12)));
    case Values::kTiny:  // Products are near the smallest float32 or below it.
      return static_cast<float>(random.between(-1, 1) * std::pow(10.0, random.between(-24, -21)));
  }
  return 0;
}

std::vector<float> vector_of(Random& random, Values values, uint32_t dimensions) {
  std::vector<float> vector;
  for (uint32_t d = 0; d < dimensions; ++d) vector.push_back(value(random, values));
  return vector;
}

std::vector<TestItem> random_items(Random& random, Values values, uint32_t dimensions, int count,
                                   int64_t ids) {
  std::map<int64_t, TestItem> items;
  for (int i = 0; i < count; ++i) {
    const int64_t id = random.below(ids);
    // Few distinct times, so that equal scores meet equal times; some lie in the future.
    TestItem item = {id, kNow + (random.below(40) - 35) * kHour};
    if (random.chance(0.9)) {
      // Copies of another item's vector make exact ties.
      const bool copy = !items.empty() && random.chance(0.2);
      item.vectors = copy ? items.begin()->second.vectors
                          : std::vector<std::vector<float>>{vector_of(random, values, dimensions)};
    }
    items[id] = std::move(item);
  }
  std::vector<TestItem> list;
  for (auto& [id, item] : items) list.push_back(std::move(item));
  return list;
}

std::shared_ptr<Catalog> random_catalog(Random& random, Values values, uint32_t dimensions,
                                        int count) {
  const auto catalog = integer_catalog(dimensions);
  const int64_t ids = 2 * int64_t{count};
  for (int round = 0; round < 3; ++round) {
    upsert(*catalog, random_items(random, values, dimensions, count, ids));
    std::vector<ItemId> gone;
    for (int i = 0; i < count / 5; ++i) gone.emplace_back(random.below(ids));
    remove(*catalog, gone);
  }
  return catalog;
}

void expect_same(const Snapshot& snapshot, const std::vector<Retrieved>& found,
                 const std::vector<Retrieved>& expected) {
  EXPECT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    if (found[i].row != expected[i].row) {
      EXPECT_EQ(i, expected.size());  // Says where the first difference is.
      EXPECT_EQ(describe(snapshot.id(found[i].row)), describe(snapshot.id(expected[i].row)));
      EXPECT_EQ(found[i].score, expected[i].score);
      return;
    }
    EXPECT_NEAR(found[i].score, expected[i].score, 1e-12 * std::abs(expected[i].score));
  }
}

std::vector<RetrievalQuery> queries_on(Random& random, std::span<const float> vector, uint32_t n) {
  std::vector<RetrievalQuery> queries;
  for (const double tau : {1e-300, 1e-3, 6.0 * kHour, 1e15, kInfinity}) {
    for (const auto negatives : {NegativeDots::kDecay, NegativeDots::kKeep, NegativeDots::kDrop}) {
      for (const uint32_t k : {1U, 10U, n, n + 100}) {
        queries.push_back({vector, kNow - random.below(5) * kHour, tau, k, negatives});
      }
    }
  }
  return queries;
}

/// Each way to retrieve exactly that this machine has.
std::vector<std::unique_ptr<Retriever>> exact_retrievers() {
  std::vector<std::unique_ptr<Retriever>> retrievers;
  for (const ScanKernel& kernel : scan_kernels()) {
    retrievers.push_back(make_fused_retriever(kernel));
  }
  retrievers.push_back(make_device_retriever("cpu"));
  return retrievers;
}

void expect_exact(const Snapshot& snapshot, std::span<const RetrievalQuery> queries,
                  Executor* helpers = nullptr) {
  const auto expected = BruteForceRetriever().retrieve(snapshot, 0, queries);
  for (const auto& retriever : exact_retrievers()) {
    const auto found = retriever->retrieve(snapshot, 0, queries, helpers);
    REQUIRE(found.size() == queries.size());
    for (size_t q = 0; q < queries.size(); ++q) expect_same(snapshot, found[q], expected[q]);
  }
}

void compare_with_brute_force(uint64_t seed, Values values, uint32_t dimensions, int count) {
  Random random(seed);
  const auto catalog = random_catalog(random, values, dimensions, count);
  const auto snapshot = catalog->pin();
  upsert(*catalog, random_items(random, values, dimensions, count / 3, 2 * count));
  const std::vector<float> vector = vector_of(random, values, dimensions);
  expect_exact(*snapshot, queries_on(random, vector, static_cast<uint32_t>(count)));
}

}  // namespace

TEST_CASE("retrieval is exact on random catalogs with replaces, removals and missing vectors") {
  for (const uint32_t dimensions : {1U, 3U, 17U, 128U}) {
    compare_with_brute_force(dimensions, Values::kPlain, dimensions, 400);
  }
}

TEST_CASE("retrieval is exact where so little is written that nothing is coded") {
  for (uint64_t seed = 31; seed <= 34; ++seed) {
    Random random(seed);
    const auto catalog = random_catalog(random, Values::kPlain, 5, 60);
    const auto snapshot = catalog->pin();
    REQUIRE(snapshot->scan_view(0).tail_rows > 0 && snapshot->scan_view(0).list->steps.empty());
    const std::vector<float> vector = vector_of(random, Values::kPlain, 5);
    expect_exact(*snapshot, queries_on(random, vector, 60));
  }
}

TEST_CASE("retrieval is exact where little is written after much has been") {
  for (uint64_t seed = 41; seed <= 44; ++seed) {
    Random random(seed);
    const auto catalog = random_catalog(random, Values::kPlain, 5, 900);
    for (int round = 0; round < 5; ++round) {
      upsert(*catalog, random_items(random, Values::kPlain, 5, 12, 1800));
    }
    const auto snapshot = catalog->pin();
    REQUIRE(snapshot->scan_view(0).tail_rows > 0 && !snapshot->scan_view(0).list->steps.empty());
    const std::vector<float> vector = vector_of(random, Values::kPlain, 5);
    expect_exact(*snapshot, queries_on(random, vector, 900));
  }
}

TEST_CASE("retrieval is exact where most scores are equal") {
  for (uint64_t seed = 1; seed <= 3; ++seed) compare_with_brute_force(seed, Values::kTies, 2, 600);
}

TEST_CASE("retrieval is exact over 32 orders of magnitude") {
  for (const uint32_t dimensions : {1U, 4U, 32U}) {
    compare_with_brute_force(dimensions, Values::kExtreme, dimensions, 400);
  }
}

TEST_CASE("retrieval is exact where products are too small for float32") {
  for (const uint32_t dimensions : {1U, 2U, 8U}) {
    compare_with_brute_force(dimensions, Values::kTiny, dimensions, 400);
  }
}

TEST_CASE("retrieval is exact where products are too large for float32") {
  const auto catalog = integer_catalog(4);
  Random random(9);
  std::vector<TestItem> items;
  for (int64_t i = 0; i < 600; ++i) {
    // Of half of the items all products overflow, of the others at most a sum in passing.
    const double most = i % 2 == 0 ? 3e14 : 0.7;
    std::vector<float> vector;
    for (int d = 0; d < 4; ++d) vector.push_back(static_cast<float>(random.between(-most, most)));
    items.push_back({i, kNow, "", {}, {vector}});
  }
  upsert(*catalog, items);
  const auto everything = catalog->pin();
  std::vector<ItemId> huge;
  for (int64_t i = 0; i < 600; i += 2) huge.emplace_back(i);
  remove(*catalog, huge);
  const auto snapshot = catalog->pin();
  const std::vector<float> user = {3e38F, 2.9e38F, -3e38F, 2e38F};
  std::vector<RetrievalQuery> queries;
  for (const uint32_t k : {1U, 5U, 100U, 600U}) {
    queries.push_back({user, kNow, kInfinity, k, NegativeDots::kDecay});
    queries.push_back({user, kNow, 1.0, k, NegativeDots::kDrop});
  }
  expect_exact(*everything, queries);
  expect_exact(*snapshot, queries);
}

TEST_CASE("a user vector of zeros finds every item, the newest first") {
  const auto catalog = integer_catalog(2);
  upsert(*catalog, {{1, kNow - 5, "", {}, {{1, 1}}},
                    {2, kNow, "", {}, {{-1, 1}}},
                    {3, kNow, "", {}, {{0, 0}}},
                    {4, kNow}});
  const auto snapshot = catalog->pin();
  const std::vector<float> zeros = {0, 0};
  const RetrievalQuery query{zeros, kNow, 1e6, 10, NegativeDots::kDrop};
  for (const auto& retriever : exact_retrievers()) {
    const auto found = retriever->retrieve(*snapshot, 0, {&query, 1}, nullptr).front();
    std::vector<int64_t> ids;
    for (const Retrieved& item : found) ids.push_back(std::get<int64_t>(snapshot->id(item.row)));
    EXPECT_EQ(text(ids), "2 3 1");
  }
}

TEST_CASE("a user vector of zeros finds the newest of many items") {
  Random random(21);
  const auto catalog = random_catalog(random, Values::kPlain, 3, 6000);
  const auto snapshot = catalog->pin();
  const std::vector<float> zeros = {0, 0, 0};
  std::vector<RetrievalQuery> queries;
  for (const uint32_t k : {1U, 30U, 700U, 20'000U}) {
    queries.push_back({zeros, kNow, 1e6, k, NegativeDots::kDecay});
  }
  expect_exact(*snapshot, queries);
}

TEST_CASE("retrieval is exact across chunks") {
  compare_with_brute_force(11, Values::kPlain, 4, 7000);
}

TEST_CASE("retrieval is exact where a few items are a billion times as long as the others") {
  Random random(15);
  const auto catalog = integer_catalog(5);
  std::vector<TestItem> items;
  for (int64_t id = 0; id < 5000; ++id) {
    std::vector<float> vector = vector_of(random, Values::kPlain, 5);
    if (id % 500 == 0) {
      for (float& value : vector) value *= 1e9F;
    }
    items.push_back({id, kNow - random.below(100) * kHour, "", {}, {vector}});
  }
  upsert(*catalog, items);
  const std::vector<float> user = vector_of(random, Values::kPlain, 5);
  expect_exact(*catalog->pin(), queries_on(random, user, 50));
}

TEST_CASE("retrieval is exact where the catalog is much older than what decay leaves") {
  Random random(16);
  const auto catalog = integer_catalog(8);
  for (int64_t begin = 0; begin < 12'000; begin += 400) {
    std::vector<TestItem> items;
    for (int64_t id = begin; id < begin + 400; ++id) {
      const auto age = static_cast<int64_t>(random.between(0, 1000.0 * kHour));
      items.push_back({id, kNow - age, "", {}, {vector_of(random, Values::kPlain, 8)}});
    }
    upsert(*catalog, items);
  }
  const auto snapshot = catalog->pin();
  const std::vector<float> user = vector_of(random, Values::kPlain, 8);
  std::vector<RetrievalQuery> queries;
  // From a τ at which a handful of items have any weight to one at which all weigh the same, with a
  // clock that is ahead of the items, among them, and behind them all.
  for (const double tau : {1.0, 0.1 * kHour, 10.0 * kHour, 100.0 * kHour, 1e9 * kHour}) {
    for (const int64_t now : {kNow + 500 * kHour, kNow, kNow - 300 * kHour, kNow - 2000 * kHour}) {
      queries.push_back({user, now, tau, 60, NegativeDots::kDecay});
      queries.push_back({user, now, tau, 3, NegativeDots::kKeep});
    }
  }
  expect_exact(*snapshot, queries);
}

TEST_CASE("retrieval is exact with idle threads, for few queries and for many") {
  Random random(17);
  const auto catalog = random_catalog(random, Values::kPlain, 12, 12'000);
  const auto snapshot = catalog->pin();
  REQUIRE(snapshot->scan_view(0).list->steps.size() > 20);
  Executor executor({3, 64, {}});
  std::vector<std::vector<float>> vectors;
  for (int i = 0; i < 70; ++i) vectors.push_back(vector_of(random, Values::kPlain, 12));
  std::vector<RetrievalQuery> queries;
  for (size_t i = 0; i < vectors.size(); ++i) {
    queries.push_back({vectors[i], kNow, i % 3 == 0 ? kInfinity : 8.0 * kHour,
                       static_cast<uint32_t>(1 + i * 5), static_cast<NegativeDots>(i % 3)});
  }
  expect_exact(*snapshot, queries, &executor);
  for (int round = 0; round < 20; ++round) expect_exact(*snapshot, {&queries[20], 1}, &executor);
}

TEST_CASE("an old snapshot answers as it did, whatever is written, merged and reused after it") {
  Random random(18);
  const auto catalog = random_catalog(random, Values::kPlain, 6, 3000);
  const auto snapshot = catalog->pin();
  const std::vector<float> user = vector_of(random, Values::kPlain, 6);
  const RetrievalQuery query{user, kNow, 20.0 * kHour, 100, NegativeDots::kDecay};
  const auto before = BruteForceRetriever().retrieve(*snapshot, 0, {&query, 1}).front();
  for (int round = 0; round < 30; ++round) {
    upsert(*catalog, random_items(random, Values::kPlain, 6, 700, 6000));
    std::vector<ItemId> gone;
    for (int i = 0; i < 300; ++i) gone.emplace_back(random.below(6000));
    remove(*catalog, gone);
    // Rows that only this one saw are written anew from here on.
    expect_exact(*catalog->pin(), {&query, 1});
  }
  for (const auto& retriever : exact_retrievers()) {
    expect_same(*snapshot, retriever->retrieve(*snapshot, 0, {&query, 1}, nullptr).front(), before);
  }
}

TEST_CASE("a query that asks for nothing gets nothing, beside others that ask") {
  Random random(19);
  const auto catalog = random_catalog(random, Values::kPlain, 3, 900);
  const std::vector<float> user = {1, -1, 0.5F};
  const std::vector<float> zeros = {0, 0, 0};
  const std::vector<RetrievalQuery> queries = {{user, kNow, 1e7, 0, NegativeDots::kDecay},
                                               {user, kNow, 1e7, 4, NegativeDots::kDecay},
                                               {zeros, kNow, 1e7, 0, NegativeDots::kDecay},
                                               {zeros, kNow, 1e7, 4, NegativeDots::kDecay}};
  expect_exact(*catalog->pin(), queries);
}

TEST_CASE("several queries in one call answer as they do alone") {
  Random random(12);
  const auto catalog = random_catalog(random, Values::kPlain, 24, 1000);
  const auto snapshot = catalog->pin();
  const auto retriever = make_retriever("cpu");
  std::vector<std::vector<float>> vectors;
  for (int i = 0; i < 9; ++i) vectors.push_back(vector_of(random, Values::kPlain, 24));
  std::vector<RetrievalQuery> queries;
  for (size_t i = 0; i < vectors.size(); ++i) {
    // Neighbours share now and τ, now only, τ only, or neither.
    queries.push_back({vectors[i], kNow - static_cast<int64_t>(i / 3) * kHour,
                       i % 2 == 0 ? 1e7 : 3e7, static_cast<uint32_t>(5 + i),
                       static_cast<NegativeDots>(i % 3)});
  }
  const auto together = retriever->retrieve(*snapshot, 0, queries, nullptr);
  REQUIRE(together.size() == queries.size());
  for (size_t i = 0; i < queries.size(); ++i) {
    const auto alone = retriever->retrieve(*snapshot, 0, {&queries[i], 1}, nullptr).front();
    expect_same(*snapshot, together[i], alone);
    for (size_t j = 0; j < alone.size(); ++j) EXPECT_EQ(together[i][j].score, alone[j].score);
  }
}

TEST_CASE("an empty catalog and one without vectors retrieve nothing") {
  const auto catalog = integer_catalog(2);
  const auto retriever = make_retriever("cpu");
  const std::vector<float> user = {1, 1};
  const RetrievalQuery query{user, kNow, 1e6, 10, NegativeDots::kDecay};
  EXPECT(retriever->retrieve(*catalog->pin(), 0, {&query, 1}, nullptr).front().empty());
  upsert(*catalog, {{1, kNow}});
  EXPECT(retriever->retrieve(*catalog->pin(), 0, {&query, 1}, nullptr).front().empty());
  EXPECT(retriever->retrieve(*catalog->pin(), 0, {}, nullptr).empty());
}

TEST_CASE("a device that is not there or not known is refused by name") {
  EXPECT_EQ(error_code([] { make_retriever("tpu"); }), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code([] { make_retriever(""); }), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code([] { make_retriever("CPU"); }), "INVALID_ARGUMENT");
  if (at::globalContext().hasCUDA()) SKIP("this machine has a CUDA device");
  EXPECT_EQ(error_code([] { make_retriever("cuda"); }), "DEVICE_UNAVAILABLE");
}
