#include <map>
#include <set>
#include <vector>

#include "catalog/catalog.h"
#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

std::map<ItemId, int64_t> state_of(const Snapshot& snapshot) {
  std::map<ItemId, int64_t> state;
  snapshot.for_each_visible(
      [&](Row row) { EXPECT(state.emplace(snapshot.id(row), snapshot.publish_time(row)).second); });
  return state;
}

using State = std::map<ItemId, int64_t>;

}  // namespace

TEST_CASE("a snapshot of an empty catalog sees nothing, whatever is inserted later") {
  const auto catalog = integer_catalog();
  const auto snapshot = catalog->pin();
  EXPECT_EQ(snapshot->chunk_count(), 0U);
  EXPECT(!snapshot->visible(0) && !snapshot->visible(kNoRow));
  upsert(*catalog, {{1, 10}});
  EXPECT(state_of(*snapshot).empty());
  EXPECT_EQ(row_of(*snapshot, 1), kNoRow);
}

TEST_CASE("a snapshot sees the state at its pin through replaces, removals and insertions") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 10}, {2, 20}, {3, 30}});
  const auto before = catalog->pin();
  upsert(*catalog, {{2, 21}, {4, 40}});
  remove(*catalog, {3});
  const auto after = catalog->pin();
  remove(*catalog, {1, 2, 4});
  EXPECT(state_of(*before) == State({{1, 10}, {2, 20}, {3, 30}}));
  EXPECT(state_of(*after) == State({{1, 10}, {2, 21}, {4, 40}}));
  EXPECT(state_of(*catalog->pin()).empty());
}

TEST_CASE("each snapshot resolves its own version of an item that was replaced many times") {
  const auto catalog = integer_catalog();
  std::vector<std::unique_ptr<const Snapshot>> snapshots;
  snapshots.push_back(catalog->pin());
  for (int64_t version = 1; version <= 20; ++version) {
    upsert(*catalog, {{7, version}});
    snapshots.push_back(catalog->pin());
  }
  EXPECT_EQ(row_of(*snapshots[0], 7), kNoRow);
  for (int64_t version = 1; version <= 20; ++version) {
    const Snapshot& snapshot = *snapshots[static_cast<size_t>(version)];
    const Row row = row_of(snapshot, 7);
    REQUIRE(snapshot.visible(row));
    EXPECT_EQ(snapshot.publish_time(row), version);
  }
  // What lies in the middle of the chain may go while both of its ends are still in use.
  for (size_t i = 2; i < 20; ++i) snapshots[i].reset();
  for (int64_t version = 21; version <= 40; ++version) upsert(*catalog, {{7, version}, {8, 1}});
  EXPECT_EQ(snapshots[1]->publish_time(row_of(*snapshots[1], 7)), 1);
  EXPECT_EQ(snapshots[20]->publish_time(row_of(*snapshots[20], 7)), 20);
  EXPECT_EQ(row_of(*snapshots[20], 8), kNoRow);
}

TEST_CASE("rows of chunks that came after the pin are not part of a snapshot") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{-1, 5}});
  const auto snapshot = catalog->pin();
  std::vector<TestItem> items;
  for (int64_t i = 0; i < 20'000; ++i) items.push_back({i, i});
  upsert(*catalog, items);
  upsert(*catalog, {{-1, 6}});
  EXPECT_EQ(snapshot->chunk_count(), 1U);
  EXPECT(state_of(*snapshot) == State({{-1, 5}}));
  EXPECT_EQ(snapshot->publish_time(row_of(*snapshot, -1)), 5);
  EXPECT_EQ(row_of(*snapshot, 19'999), kNoRow);
  EXPECT_EQ(state_of(*catalog->pin()).size(), 20'001U);
}

TEST_CASE("an id that was removed and inserted again is another item in another slot") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 10}});
  const auto before = catalog->pin();
  const Slot old = slot_of(*catalog, 1);
  remove(*catalog, {1});
  upsert(*catalog, {{1, 11}});
  const Slot now = slot_of(*catalog, 1);
  EXPECT(!(now == old));
  EXPECT(!is_alive(*catalog, old) && is_alive(*catalog, now));
  EXPECT(state_of(*before) == State({{1, 10}}));
  EXPECT(state_of(*catalog->pin()) == State({{1, 11}}));
}

TEST_CASE("an item that is only replaced stays alive, a removed one does not") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 10}, {2, 20}});
  const std::vector<Slot> slots = {slot_of(*catalog, 1), slot_of(*catalog, 2)};
  upsert(*catalog, {{1, 11}});
  remove(*catalog, {2});
  const std::vector<uint8_t> alive = catalog->alive(slots);
  EXPECT_EQ(int{alive[0]}, 1);
  EXPECT_EQ(int{alive[1]}, 0);
}

TEST_CASE("rows wait for the snapshots that see them and are reused afterwards") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 1}, {2, 2}});
  auto snapshot = catalog->pin();
  for (int64_t version = 10; version < 15; ++version) upsert(*catalog, {{1, version}});
  // The snapshot holds everything that was removed after it was taken.
  EXPECT_EQ(catalog->allocated_rows(), 7U);
  EXPECT(state_of(*snapshot) == State({{1, 1}, {2, 2}}));
  snapshot.reset();
  for (int64_t version = 20; version < 50; ++version) upsert(*catalog, {{1, version}});
  EXPECT_EQ(catalog->allocated_rows(), 7U);
  EXPECT(state_of(*catalog->pin()) == State({{1, 49}, {2, 2}}));
}

TEST_CASE("a slot waits for the snapshots that see it and comes back under a new generation") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 1}});
  const Slot first = slot_of(*catalog, 1);
  auto snapshot = catalog->pin();
  remove(*catalog, {1});
  upsert(*catalog, {{2, 2}});
  EXPECT(slot_of(*catalog, 2).index != first.index);
  snapshot.reset();
  upsert(*catalog, {{3, 3}});
  const Slot reused = slot_of(*catalog, 3);
  EXPECT_EQ(reused.index, first.index);
  EXPECT(reused.generation > first.generation);
  EXPECT(!is_alive(*catalog, first) && is_alive(*catalog, reused));
}

TEST_CASE("what a catalog has allocated stays bounded over many rounds of writes") {
  const auto catalog = integer_catalog();
  std::vector<TestItem> items;
  for (int64_t i = 0; i < 500; ++i) items.push_back({i, 0});
  upsert(*catalog, items);
  std::unique_ptr<const Snapshot> snapshot;
  for (int64_t round = 1; round <= 60; ++round) {
    snapshot = catalog->pin();  // Always one request in flight, as in service.
    for (TestItem& item : items) item.published = round;
    upsert(*catalog, items);
    std::vector<ItemId> gone;
    std::vector<TestItem> fresh;
    for (int64_t i = 0; i < 50; ++i) {
      gone.push_back(round * 1000 + i - 1000);
      fresh.push_back({round * 1000 + i, round});
    }
    if (round > 1) remove(*catalog, gone);
    upsert(*catalog, fresh);
  }
  snapshot.reset();
  EXPECT(catalog->allocated_rows() <= 4 * 500);
  EXPECT(catalog->slot_count() <= 1000);
  EXPECT_EQ(state_of(*catalog->pin()).size(), size_t{catalog->size()});
}

TEST_CASE("a snapshot keeps its catalog") {
  auto catalog = integer_catalog();
  upsert(*catalog, {{1, 10}});
  const auto snapshot = catalog->pin();
  catalog.reset();
  EXPECT(state_of(*snapshot) == State({{1, 10}}));
  EXPECT_EQ(row_of(*snapshot, 1), Row{0});
}

TEST_CASE("equal scores are ordered by the newer, then by the smaller id") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{5, 10}, {3, 10}, {9, 11}});
  const auto snapshot = catalog->pin();
  const Row five = row_of(*snapshot, 5);
  const Row three = row_of(*snapshot, 3);
  const Row nine = row_of(*snapshot, 9);
  EXPECT(snapshot->before_on_tie(nine, three) && !snapshot->before_on_tie(three, nine));
  EXPECT(snapshot->before_on_tie(three, five) && !snapshot->before_on_tie(five, three));
  EXPECT(!snapshot->before_on_tie(five, five));
}
