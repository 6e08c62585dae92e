#include "catalog/slot_index.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

void grow(SlotIndex& index, const std::vector<size_t>& hashes) {
  SlotIndex::Growth growth = index.growth_for(hashes);
  index.adopt(growth);
}

}  // namespace

TEST_CASE("the index of slots agrees with a map, however many hashes collide") {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    // Few hashes make long runs of cells; some of them lie at the end and wrap around.
    const int64_t hashes = seed % 3 == 0 ? 3 : (seed % 3 == 1 ? 40 : 1'000'000);
    std::map<uint32_t, size_t> model;  // slot to hash
    SlotIndex index;
    for (int step = 0; step < 4000; ++step) {
      const auto slot = static_cast<uint32_t>(random.below(300));
      const auto found = model.find(slot);
      if (found == model.end()) {
        const auto few = static_cast<size_t>(~uint64_t{0} - random.below(hashes));
        // In one part of the index, or in all of them.
        const size_t hash = seed <= 3 ? few : few * 0x9e3779b1U;
        grow(index, {hash});
        index.insert(hash, slot);
        model.emplace(slot, hash);
      } else if (random.chance(0.6)) {
        index.erase(found->second, slot);
        model.erase(found);
      }
      EXPECT_EQ(index.size(), model.size());
      if (step % 16 != 0) continue;
      for (const auto& [known, hash] : model) {
        EXPECT_EQ(index.find(hash, [&](uint32_t s) { return s == known; }), known);
      }
      EXPECT_EQ(index.find(static_cast<size_t>(random.below(1000)), [](uint32_t) { return false; }),
                SlotIndex::kNone);
    }
  }
}

TEST_CASE("an empty index finds nothing") {
  const SlotIndex index;
  EXPECT_EQ(index.find(7, [](uint32_t) { return true; }), SlotIndex::kNone);
  EXPECT(!index.growth_for(std::vector<size_t>{7}).empty());
  EXPECT(index.growth_for({}).empty());
}

TEST_CASE("an index with room for a batch takes it without growing, and grows part by part") {
  Random random(4);
  SlotIndex index;
  std::vector<size_t> all;
  size_t growths = 0;
  size_t most_bytes = 0;
  for (int batch = 0; batch < 200; ++batch) {
    std::vector<size_t> hashes;
    for (int i = 0; i < 100; ++i) hashes.push_back(random.engine()());
    const size_t before = index.bytes();
    grow(index, hashes);
    growths += index.bytes() > before ? 1 : 0;
    if (all.size() > 2000) most_bytes = std::max(most_bytes, index.bytes() - before);
    EXPECT(index.growth_for(hashes).empty());
    for (const size_t hash : hashes) {
      index.insert(hash, static_cast<uint32_t>(all.size()));
      all.push_back(hash);
    }
  }
  for (uint32_t slot = 0; slot < all.size(); ++slot) {
    EXPECT_EQ(index.find(all[slot], [&](uint32_t s) { return s == slot; }), slot);
  }
  EXPECT_EQ(index.size(), all.size());
  EXPECT(index.bytes() <= 24 * all.size());
  // As a whole it would double at once.
  EXPECT(growths > 20);
  EXPECT(most_bytes < index.bytes() / 3);
}

TEST_CASE("string ids of any length are found, replaced and removed like any other") {
  Random random(9);
  const auto catalog =
      std::make_shared<Catalog>(CatalogSchema{IdKind::kString, {{"tower", 2, "1"}}, {}, {}});
  std::map<std::string, int64_t> model;
  const auto id_of = [](int64_t number) {
    return std::string(static_cast<size_t>(number % 40), 'x') + std::to_string(number);
  };
  for (int64_t step = 1; step <= 300; ++step) {
    std::map<std::string, TestItem> items;
    for (int i = 0; i < 30; ++i) {
      const std::string id = id_of(random.below(2000));
      items[id] = {id, step, "", {}, {{1, static_cast<float>(step)}}};
    }
    if (random.chance(0.7)) {
      std::vector<TestItem> batch;
      uint32_t replaced = 0;
      for (const auto& [id, item] : items) {
        batch.push_back(item);
        replaced += model.contains(id) ? 1 : 0;
        model[id] = step;
      }
      EXPECT_EQ(upsert(*catalog, batch).replaced, replaced);
    } else {
      std::vector<ItemId> gone;
      uint32_t known = 0;
      for (const auto& [id, item] : items) {
        gone.emplace_back(id);
        gone.emplace_back(id);
        known += static_cast<uint32_t>(model.erase(id));
      }
      EXPECT_EQ(catalog->remove(gone).removed, known);
    }
    const auto snapshot = catalog->pin();
    std::vector<ItemId> ids;
    for (int64_t number = 0; number < 2000; number += 7) ids.emplace_back(id_of(number));
    const std::vector<Row> rows = catalog->resolve(*snapshot, ids);
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto found = model.find(std::get<std::string>(ids[i]));
      REQUIRE((rows[i] != kNoRow) == (found != model.end()));
      if (rows[i] == kNoRow) continue;
      EXPECT(snapshot->id(rows[i]) == ids[i]);
      EXPECT_EQ(snapshot->publish_time(rows[i]), found->second);
    }
  }
}
