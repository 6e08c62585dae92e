// The catalog against a plain map, by random writes; and by several threads at once.

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "catalog/catalog.h"
#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

using Model = std::map<int64_t, int64_t>;  // id to version

/// An item whose every column follows from its id and version.
TestItem item_of(int64_t id, int64_t version) {
  const auto i = static_cast<float>(id);
  const auto v = static_cast<float>(version);
  return {id,
          id * 1'000'000 + version,
          "author " + std::to_string(version % 50),
          {"topic " + std::to_string(version % 7), "topic " + std::to_string(id % 7 + 7)},
          {{i, v, i + v, i - v}},
          {static_cast<double>(id) * static_cast<double>(version)}};
}

/// The version of a visible row, −1 where its columns contradict one another.
int64_t version_of(const Snapshot& snapshot, Row row) {
  const Chunk& chunk = snapshot.chunk_of(row);
  const uint32_t offset = Snapshot::offset_of(row);
  const auto* id = std::get_if<int64_t>(&snapshot.id(row));
  if (id == nullptr) return -1;
  const int64_t version = snapshot.publish_time(row) - *id * 1'000'000;
  const TestItem expected = item_of(*id, version);
  const auto& strings = snapshot.catalog().strings();
  const float* vector = chunk.vector(0, offset);
  const bool consistent =
      strings.text(chunk.author[offset]) == expected.author && chunk.topics[offset].size() == 2 &&
      strings.text(chunk.topics[offset][0]) == expected.topics[0] &&
      chunk.columns(offset)[0] == expected.columns[0] &&
      std::equal(vector, vector + 4, expected.vectors[0].begin()) && chunk.has_vector(0, offset);
  return consistent ? version : -1;
}

Model model_of(const Snapshot& snapshot) {
  Model model;
  snapshot.for_each_visible([&](Row row) {
    const int64_t id = std::get<int64_t>(snapshot.id(row));
    EXPECT(model.emplace(id, version_of(snapshot, row)).second);
  });
  return model;
}

}  // namespace

TEST_CASE("under random writes the catalog and every living snapshot agree with a plain map") {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Random random(seed);
    const auto catalog = integer_catalog(4);
    const int64_t ids = seed == 4 ? 12'000 : 60;  // The last one spans chunks.
    const int64_t batch = seed == 4 ? 4'000 : 12;
    Model model;
    int64_t version = 0;
    std::vector<std::pair<std::unique_ptr<const Snapshot>, Model>> pinned;
    for (int step = 0; step < (seed == 4 ? 30 : 600); ++step) {
      ++version;
      std::map<int64_t, bool> chosen;
      for (int64_t i = random.below(batch) + 1; i > 0; --i) chosen[random.below(ids)] = true;
      if (random.chance(0.6)) {
        std::vector<TestItem> items;
        for (const auto& [id, unused] : chosen) items.push_back(item_of(id, version));
        std::shuffle(items.begin(), items.end(), random.engine());
        uint32_t replaced = 0;
        for (const auto& [id, unused] : chosen) replaced += model.contains(id) ? 1 : 0;
        const UpsertResult result = upsert(*catalog, items);
        EXPECT_EQ(result.replaced, replaced);
        EXPECT_EQ(result.inserted + result.replaced, items.size());
        for (const auto& [id, unused] : chosen) model[id] = version;
      } else {
        std::vector<ItemId> gone;
        uint32_t known = 0;
        for (const auto& [id, unused] : chosen) {
          gone.emplace_back(id);
          known += model.erase(id) > 0 ? 1 : 0;
        }
        EXPECT_EQ(remove(*catalog, gone).removed, known);
      }
      EXPECT_EQ(catalog->size(), model.size());
      if (random.chance(0.3)) pinned.emplace_back(catalog->pin(), model);
      if (pinned.size() > 6) pinned.erase(pinned.begin() + random.below(6));
      if (!pinned.empty()) {
        const auto& [snapshot, then] =
            pinned[static_cast<size_t>(random.below(static_cast<int64_t>(pinned.size())))];
        EXPECT(model_of(*snapshot) == then);
        // What is still there resolves to the version that the snapshot sees.
        for (const auto& [id, seen] : then) {
          const Row row = row_of(*snapshot, id);
          if (row != kNoRow) EXPECT_EQ(version_of(*snapshot, row), seen);
        }
      }
      EXPECT(model_of(*catalog->pin()) == model);
    }
  }
}

TEST_CASE("threads that read while others write see whole items and whole batches") {
  constexpr int64_t kGroups = 24;
  constexpr int64_t kGroup = 8;  // Items g·8 … g·8+7 are always written and removed together.
  constexpr int kWriters = 2;
  const auto catalog = integer_catalog(4);
  std::atomic<int> writing{kWriters};
  std::atomic<int> torn{0};
  std::atomic<int> partial{0};
  std::atomic<int> unstable{0};
  std::atomic<int> lost{0};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      Random random(static_cast<uint64_t>(100 + writer));
      for (int64_t version = 1; version <= 1500; ++version) {
        const int64_t group = random.below(kGroups / kWriters) * kWriters + writer;
        std::vector<TestItem> items;
        std::vector<ItemId> ids;
        for (int64_t i = group * kGroup; i < (group + 1) * kGroup; ++i) {
          items.push_back(item_of(i, version));
          ids.emplace_back(i);
        }
        if (random.chance(0.7)) {
          upsert(*catalog, items);
          // A snapshot that is taken after a write returned sees that write.
          const auto snapshot = catalog->pin();
          const Row row = row_of(*snapshot, ids.front());
          if (row == kNoRow || version_of(*snapshot, row) != version) ++lost;
        } else {
          remove(*catalog, ids);
        }
      }
      --writing;
    });
  }
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      Random random(static_cast<uint64_t>(200 + reader));
      while (writing > 0) {
        const auto snapshot = catalog->pin();
        std::map<int64_t, std::vector<int64_t>> groups;
        std::vector<std::pair<Row, int64_t>> seen;
        snapshot->for_each_visible([&](Row row) {
          const int64_t version = version_of(*snapshot, row);
          if (version < 0) ++torn;
          groups[std::get<int64_t>(snapshot->id(row)) / kGroup].push_back(version);
          seen.emplace_back(row, version);
        });
        for (const auto& [group, versions] : groups) {
          const bool whole = versions.size() == kGroup &&
                             std::equal(versions.begin() + 1, versions.end(), versions.begin());
          if (!whole) ++partial;
        }
        const ItemId id = random.below(kGroups * kGroup);
        const Row row = row_of(*snapshot, id);
        if (row != kNoRow && !(snapshot->id(row) == id && snapshot->visible(row))) ++torn;
        for (const auto& [there, version] : seen) {
          if (!snapshot->visible(there) || version_of(*snapshot, there) != version) ++unstable;
          // Asked at any time; what it answers changes under us.
          if (random.chance(0.02)) is_alive(*catalog, snapshot->slot(there));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(torn.load(), 0);
  EXPECT_EQ(partial.load(), 0);
  EXPECT_EQ(unstable.load(), 0);
  EXPECT_EQ(lost.load(), 0);
}
