// Searches beside writers: each answer is that of the one state which its snapshot sees.

#include <atomic>
#include <thread>
#include <vector>

#include "brute_force.h"
#include "check.h"
#include "retrieval/fused_retriever.h"
#include "runtime/executor.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kIds = 3000;
constexpr uint32_t kDimensions = 6;

TestItem item(Random& random, int64_t id) {
  std::vector<float> vector;
  for (uint32_t d = 0; d < kDimensions; ++d) {
    vector.push_back(static_cast<float>(random.between(-1, 1)));
  }
  return {id, kNow - random.below(100'000), "", {}, {vector}};
}

void write_randomly(Catalog& catalog, uint64_t seed, int writes) {
  Random random(seed);
  for (int w = 0; w < writes; ++w) {
    // Of every size: into the tail, and past it.
    const int64_t count = 1 + random.below(random.chance(0.3) ? 600 : 20);
    const int64_t first = random.below(kIds - count);
    if (random.chance(0.7)) {
      std::vector<TestItem> items;
      for (int64_t id = first; id < first + count; ++id) items.push_back(item(random, id));
      upsert(catalog, items);
    } else {
      std::vector<ItemId> ids;
      for (int64_t id = first; id < first + count; ++id) ids.emplace_back(id);
      remove(catalog, ids);
    }
  }
}

}  // namespace

TEST_CASE("searches beside writers see one state each, with helping threads and without") {
  const auto catalog = integer_catalog(kDimensions);
  write_randomly(*catalog, 1, 50);
  Executor executor({2, 64, {}});
  std::atomic<int> writing{2};
  std::atomic<int> searches{0};
  std::atomic<int> different{0};
  std::vector<std::thread> threads;
  for (uint64_t writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      write_randomly(*catalog, 10 + writer, 400);
      --writing;
    });
  }
  for (uint64_t reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      Random random(20 + reader);
      const auto& kernels = scan_kernels();
      while (writing > 0 || searches < 20) {
        const auto snapshot = catalog->pin();
        std::vector<float> user;
        for (uint32_t d = 0; d < kDimensions; ++d) {
          user.push_back(static_cast<float>(random.between(-1, 1)));
        }
        const RetrievalQuery query{user, kNow, 30'000, 40, NegativeDots::kDecay};
        const auto& kernel =
            kernels[static_cast<size_t>(random.below(static_cast<int64_t>(kernels.size())))];
        const auto found = make_fused_retriever(kernel)->retrieve(
            *snapshot, 0, {&query, 1}, random.chance(0.5) ? &executor : nullptr);
        const auto expected = BruteForceRetriever().retrieve(*snapshot, 0, {&query, 1});
        const auto same = [](const Retrieved& a, const Retrieved& b) {
          return a.row == b.row && a.score == b.score;
        };
        if (!std::equal(found[0].begin(), found[0].end(), expected[0].begin(), expected[0].end(),
                        same)) {
          ++different;
        }
        ++searches;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT(searches >= 20);
  EXPECT_EQ(different.load(), 0);
}
