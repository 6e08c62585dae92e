// The order in which a scan meets items: each visible one in one place, newest first, within
// bounds.

#include "retrieval/scan_index.h"

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr uint32_t kDimensions = 6;

std::vector<Row> visible_rows(const Snapshot& snapshot, uint32_t space) {
  std::vector<Row> rows;
  snapshot.for_each_visible([&](Row row) {
    if (snapshot.chunk_of(row).has_vector(space, Snapshot::offset_of(row))) rows.push_back(row);
  });
  return rows;
}

/// A unit's bounds hold for one of its items.
void expect_bounded(const Snapshot& snapshot, const ScanSegment& segment, uint32_t position) {
  const ScanSegment::Unit& unit = segment.units()[position / ScanSegment::kUnit];
  const Row row = segment.row(position);
  const int64_t at = snapshot.publish_time(row);
  EXPECT(at <= unit.newest && at >= unit.oldest);
  const float* vector = snapshot.chunk_of(row).vector(0, Snapshot::offset_of(row));
  const ScanItems items = segment.items_of(position / ScanSegment::kUnit);
  const uint32_t in_unit = position % ScanSegment::kUnit;
  const double scale = segment.scale(position);
  double squares = 0;
  double coded = 0;
  double residual = 0;
  for (uint32_t d = 0; d < kDimensions; ++d) {
    const size_t block = size_t{in_unit / kScanBlock} * items.groups * kScanBlock * kScanGroup;
    const size_t group = size_t{d / kScanGroup} * kScanBlock * kScanGroup;
    const int code =
        items.codes[block + group + in_unit % kScanBlock * kScanGroup + d % kScanGroup] -
        kScanOffset;
    squares += double{vector[d]} * vector[d];
    coded += code * code;
    residual += std::pow(vector[d] - scale * code, 2);
  }
  constexpr double kHair = 1 + 1e-12;
  EXPECT(std::sqrt(squares) <= unit.norm * kHair);
  EXPECT(std::sqrt(coded) <= unit.code_norm * kHair);
  EXPECT(scale * std::sqrt(coded) <= unit.coded_norm * kHair);
  EXPECT(std::sqrt(residual) <= scale * unit.allowance());
}

/// What a scan of the view meets are the snapshot's items, each once.
void expect_complete(const Snapshot& snapshot, uint32_t space) {
  const ScanView& view = snapshot.scan_view(space);
  std::vector<Row> met;
  for (uint32_t i = 0; i < view.tail_rows; ++i) {
    const Row row = view.tail->rows[i].load();
    if (row != kNoRow && snapshot.visible(row)) met.push_back(row);
  }
  size_t steps = 0;
  std::set<const ScanSegment*> segments;
  for (const auto& segment : view.list->segments) {
    segments.insert(segment.get());
    steps += segment->units().size();
    for (uint32_t position = 0; position < segment->size(); ++position) {
      const Row row = segment->row(position);
      if (row == kNoRow) continue;
      if (segment->alive(position)) EXPECT(snapshot.visible(row));
      if (!snapshot.visible(row)) continue;
      met.push_back(row);
      if (space == 0) expect_bounded(snapshot, *segment, position);
    }
  }
  std::sort(met.begin(), met.end());
  EXPECT(met == visible_rows(snapshot, space));
  EXPECT_EQ(view.list->steps.size(), steps);
  float largest = 0;
  for (size_t s = steps; s-- > 0;) {
    const ScanList::Step& step = view.list->steps[s];
    const ScanSegment::Unit& unit = step.segment->units()[step.unit];
    EXPECT(segments.contains(step.segment));
    EXPECT_EQ(step.newest, unit.newest);
    if (s + 1 < steps) EXPECT(step.newest >= view.list->steps[s + 1].newest);
    EXPECT(step.largest_norm >= largest && step.largest_norm >= unit.norm);
    largest = step.largest_norm;
  }
}

std::shared_ptr<Catalog> two_spaces() {
  return std::make_shared<Catalog>(
      CatalogSchema{IdKind::kInteger, {{"tower", kDimensions, "1"}, {"content", 2, "1"}}, {}, {}});
}

TestItem item(Random& random, int64_t id) {
  const auto vector = [&random](uint32_t dimensions) {
    std::vector<float> values;
    const double size = std::pow(10.0, random.between(-3, 3));
    for (uint32_t d = 0; d < dimensions; ++d) {
      values.push_back(static_cast<float>(random.between(-size, size)));
    }
    return values;
  };
  TestItem made = {id, random.below(1'000'000)};
  made.vectors = {random.chance(0.9) ? vector(kDimensions) : std::vector<float>{},
                  random.chance(0.5) ? vector(2) : std::vector<float>{}};
  return made;
}

}  // namespace

TEST_CASE("a scan meets every visible item once, whatever is written while segments are merged") {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Random random(seed);
    const auto catalog = two_spaces();
    const int64_t ids = seed == 1 ? 300 : 6000;
    std::vector<std::unique_ptr<const Snapshot>> pinned;
    // How far merges come between writes: not a single item, some, or as far as they would.
    const int64_t most_moves = seed == 3 ? 50 : 1500;
    int unfinished = 0;
    for (int step = 0; step < 150; ++step) {
      // Single items, batches that fit into the tail, and such as become segments at once.
      const int64_t most = random.chance(0.3) ? 1 : random.chance(0.7) ? 100 : ids / 4;
      std::set<int64_t> chosen;
      for (int64_t i = random.below(most) + 1; i > 0; --i) chosen.insert(random.below(ids));
      if (random.chance(0.65)) {
        std::vector<TestItem> items;
        for (const int64_t id : chosen) items.push_back(item(random, id));
        catalog->upsert(Batch(catalog->schema(), items).get());
      } else {
        catalog->remove(std::vector<ItemId>(chosen.begin(), chosen.end()));
      }
      if (random.chance(0.2)) pinned.push_back(catalog->pin());
      if (seed == 4) {
        while (catalog->tidy()) {
        }
      } else if (random.chance(0.8)) {
        unfinished += catalog->tidy(static_cast<uint32_t>(random.below(most_moves))) ? 1 : 0;
      }
      if (random.chance(0.2)) pinned.push_back(catalog->pin());
      if (pinned.size() > 5) pinned.erase(pinned.begin() + random.below(5));
      if (step % 10 != 0) continue;
      pinned.push_back(catalog->pin());
      for (const auto& snapshot : pinned) {
        for (uint32_t space = 0; space < 2; ++space) expect_complete(*snapshot, space);
      }
    }
    // Writes came between the parts of a merge, or this would have tested nothing of it.
    if (seed == 2 || seed == 3) EXPECT(unfinished > 10);
    while (catalog->tidy()) {
    }
    const auto snapshot = catalog->pin();
    for (uint32_t space = 0; space < 2; ++space) expect_complete(*snapshot, space);
  }
}

TEST_CASE("what is searched is the same while a merge is under way and when it has ended") {
  Random random(5);
  const auto catalog = integer_catalog(kDimensions);
  std::vector<std::vector<TestItem>> batches;
  for (int64_t begin = 0; begin < 8 * 300; begin += 300) {
    std::vector<TestItem> items;
    for (int64_t id = begin; id < begin + 300; ++id) items.push_back(item(random, id));
    for (TestItem& made : items) made.vectors.resize(1);
    batches.push_back(items);
    catalog->upsert(Batch(catalog->schema(), items).get());
  }
  EXPECT(catalog->tidy(1000));
  const auto before = catalog->pin();
  EXPECT_EQ(before->scan_view(0).list->segments.size(), 8U);
  expect_complete(*before, 0);
  // Of those that have been moved and of those that have not; their rows are used again.
  remove(*catalog, {int64_t{0}, int64_t{301}, int64_t{2000}});
  for (int64_t id = 5000; id < 5300; ++id) batches[0].push_back(item(random, id));
  for (TestItem& made : batches[0]) made.vectors.resize(1);
  catalog->upsert(Batch(catalog->schema(), batches[0]).get());
  while (catalog->tidy()) {
  }
  const auto after = catalog->pin();
  EXPECT(after->scan_view(0).list->segments.size() <= 3);
  expect_complete(*after, 0);
  // What an older request sees has not changed.
  expect_complete(*before, 0);
}

TEST_CASE("many small writes leave few segments, and many removals little that is removed") {
  Random random(9);
  const auto catalog = integer_catalog(kDimensions);
  for (int64_t begin = 0; begin < 40'000; begin += 500) {
    std::vector<TestItem> items;
    for (int64_t id = begin; id < begin + 500; ++id) {
      items.push_back(
          {id, random.below(1'000'000), "", {}, {std::vector<float>(kDimensions, 0.5F)}});
    }
    upsert(*catalog, items);
    // Told to tidy once after each write, it keeps up.
    EXPECT(catalog->pin()->scan_view(0).list->segments.size() <= 24);
  }
  while (catalog->tidy()) {
  }
  EXPECT(catalog->pin()->scan_view(0).list->segments.size() <= 17);
  std::vector<ItemId> gone;
  for (int64_t id = 0; id < 39'000; ++id) gone.emplace_back(id);
  for (size_t begin = 0; begin < gone.size(); begin += 100) {
    remove(*catalog, {gone.begin() + static_cast<ptrdiff_t>(begin),
                      gone.begin() + static_cast<ptrdiff_t>(begin) + 100});
  }
  while (catalog->tidy()) {
  }
  const auto snapshot = catalog->pin();
  uint32_t size = 0;
  for (const auto& segment : snapshot->scan_view(0).list->segments) size += segment->size();
  EXPECT(size <= 1500);
  expect_complete(*snapshot, 0);
}

TEST_CASE("a catalog says how much memory its indexes take") {
  const auto with = integer_catalog(16);
  const auto without = integer_catalog(16);
  std::vector<TestItem> items;
  for (int64_t id = 0; id < 1000; ++id) {
    items.push_back({id, id, "", {}, {std::vector<float>(16, 1.0F)}});
  }
  upsert(*with, items);
  for (TestItem& bare : items) bare.vectors.clear();
  upsert(*without, items);
  EXPECT(with->bytes() >= without->bytes() + 1000 * 16);
}

TEST_CASE("what a merge under way has set aside counts as a catalog's memory") {
  const auto catalog = integer_catalog(64);
  for (int64_t begin = 0; begin < 8 * 500; begin += 500) {
    std::vector<TestItem> items;
    for (int64_t id = begin; id < begin + 500; ++id) {
      items.push_back({id, id, "", {}, {std::vector<float>(64, 1.0F)}});
    }
    catalog->upsert(Batch(catalog->schema(), items).get());
  }
  const size_t before = catalog->bytes();
  EXPECT(catalog->tidy(1000));
  EXPECT(catalog->bytes() >= before + 8 * 500 * 64);
  while (catalog->tidy()) {
  }
  EXPECT(catalog->bytes() < before + 8 * 500);
}
