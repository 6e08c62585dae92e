#include "retrieval/device_retriever.h"

#include <torch/script.h>

#include <cmath>
#include <string>
#include <vector>

#include "brute_force.h"
#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kNow = 1'700'000'000'000;

TestItem random_item(Random& random, int64_t id, uint32_t dimensions, double most) {
  TestItem item = {id, kNow + (random.below(40) - 35) * kHour};
  if (random.chance(0.1)) return item;
  std::vector<float> vector;
  for (uint32_t d = 0; d < dimensions; ++d) {
    vector.push_back(random.chance(0.3) ? static_cast<float>(random.below(3) - 1) * most
                                        : static_cast<float>(random.between(-most, most)));
  }
  item.vectors = {vector};
  return item;
}

void write_randomly(Catalog& catalog, Random& random, uint32_t dimensions, double most) {
  std::vector<TestItem> items;
  const int64_t first = random.below(400);
  for (int64_t id = first; id < first + 120; ++id) {
    items.push_back(random_item(random, id, dimensions, most));
  }
  upsert(catalog, items);
  std::vector<ItemId> gone;
  for (int i = 0; i < 40; ++i) gone.emplace_back(random.below(520));
  remove(catalog, gone);
}

void expect_same(const Retriever& retriever, const Snapshot& snapshot, Random& random,
                 uint32_t dimensions, double most) {
  std::vector<std::vector<float>> vectors;
  std::vector<RetrievalQuery> queries;
  for (int v = 0; v < 3; ++v) {
    vectors.emplace_back();
    for (uint32_t d = 0; d < dimensions; ++d) {
      vectors.back().push_back(static_cast<float>(random.between(-most, most)));
    }
  }
  vectors.emplace_back(dimensions, 0.0F);
  for (const auto& vector : vectors) {
    for (const double tau : {1e-300, 1e-3, 6.0 * kHour, 1e15, kInfinity}) {
      for (const auto negatives :
           {NegativeDots::kDecay, NegativeDots::kKeep, NegativeDots::kDrop}) {
        for (const uint32_t k : {1U, 10U, 700U}) {
          queries.push_back({vector, kNow - random.below(5) * kHour, tau, k, negatives});
        }
      }
    }
  }
  const auto found = retriever.retrieve(snapshot, 0, queries, nullptr);
  const auto expected = BruteForceRetriever().retrieve(snapshot, 0, queries);
  REQUIRE(found.size() == expected.size());
  for (size_t q = 0; q < queries.size(); ++q) {
    REQUIRE(found[q].size() == expected[q].size());
    for (size_t i = 0; i < found[q].size(); ++i) {
      REQUIRE(found[q][i].row == expected[q][i].row);
      EXPECT_NEAR(found[q][i].score, expected[q][i].score, 1e-12 * std::abs(expected[q][i].score));
    }
  }
}

void expect_exact_while_written(const std::string& device) {
  const auto retriever = make_device_retriever(device);
  for (const double most : {1.0, 3e13, 1e-22}) {
    for (const uint32_t dimensions : {1U, 8U, 64U}) {
      Random random(dimensions);
      const auto catalog = integer_catalog(dimensions);
      for (int round = 0; round < 3; ++round) {
        write_randomly(*catalog, random, dimensions, most);
        const auto snapshot = catalog->pin();
        write_randomly(*catalog, random, dimensions, most);
        const auto later = catalog->pin();
        // The copy may hold what a later snapshot sees before the earlier one is scanned.
        if (round % 2 == 0) expect_same(*retriever, *later, random, dimensions, most);
        expect_same(*retriever, *snapshot, random, dimensions, most);
        expect_same(*retriever, *later, random, dimensions, most);
      }
    }
  }
}

void expect_copies_that_grow(const std::string& device) {
  const auto retriever = make_device_retriever(device);
  Random random(5);
  const auto catalog = integer_catalog(4);
  for (int64_t round = 0; round < 3; ++round) {
    std::vector<TestItem> items;
    for (int64_t i = 0; i < 9'000; ++i) {
      items.push_back(random_item(random, round * 9'000 + i, 4, 1.0));
    }
    upsert(*catalog, items);
    expect_same(*retriever, *catalog->pin(), random, 4, 1.0);
  }
  const auto other = integer_catalog(4);
  write_randomly(*other, random, 4, 1.0);
  expect_same(*retriever, *other->pin(), random, 4, 1.0);
  expect_same(*retriever, *integer_catalog(4)->pin(), random, 4, 1.0);
}

}  // namespace

TEST_CASE("the code for devices, on the CPU, is exact while items are written and removed") {
  expect_exact_while_written("cpu");
}

TEST_CASE("the code for devices, on the CPU, copies each catalog as it grows") {
  expect_copies_that_grow("cpu");
}

TEST_CASE("retrieval on CUDA is exact while items are written and removed") {
  if (!at::globalContext().hasCUDA()) SKIP("this LibTorch finds no CUDA device");
  expect_exact_while_written("cuda");
  expect_copies_that_grow("cuda");
}

TEST_CASE("a device that is not there is named") {
  EXPECT_EQ(error_code([] { make_device_retriever("tpu"); }), "INVALID_ARGUMENT");
  if (at::globalContext().hasCUDA()) SKIP("there is a CUDA device");
  EXPECT_EQ(error_code([] { make_device_retriever("cuda"); }), "DEVICE_UNAVAILABLE");
}
