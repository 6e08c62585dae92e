// Events a second into counters, users and pairs, in batches of 1,000 on one thread.

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "benchmark.h"
#include "catalog/catalog.h"
#include "features/engagement.h"

namespace {

using namespace feedrank;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr uint32_t kItems = 50'000;
constexpr uint32_t kBatch = 1'000;

struct World {
  std::shared_ptr<Catalog> catalog;
  std::unique_ptr<Engagement> engagement;
  std::vector<std::vector<Event>> batches;
};

/// A feed of 50,000 items and 100,000 readers: nine impressions to a click, popular items more
/// often; with `everything` each event has an id of its own, a device and a surface.
World world(IdKind kind, bool everything) {
  World made;
  CatalogSchema schema;
  schema.id_kind = kind;
  made.catalog = std::make_shared<Catalog>(schema);
  const auto id = [kind](uint32_t item) -> ItemId {
    return kind == IdKind::kInteger ? ItemId(int64_t{item})
                                    : ItemId("item-" + std::to_string(item));
  };
  ItemBatch items;
  std::vector<ItemId> ids;
  ids.reserve(kItems);
  for (uint32_t item = 0; item < kItems; ++item) {
    items.ids.push_back(view_of(ids.emplace_back(id(item))));
    items.publish_times.push_back(kNow);
    items.authors.push_back(StringTable::kNone);
    items.topics.emplace_back();
  }
  made.catalog->upsert(items);
  Engagement::Options options;
  constexpr int64_t kHour = 3'600'000;
  options.half_lives_ms = {kHour / 2, 3 * kHour, 12 * kHour, 48 * kHour};
  options.segmentations = {{"device", {"desktop", "mobile", "tablet"}},
                           {"surface", {"front", "article"}}};
  options.segment_half_lives_ms = {2 * kHour, 12 * kHour};
  made.engagement = std::make_unique<Engagement>(made.catalog, options);
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> even;
  uint64_t number = 0;
  for (int b = 0; b < 1'000; ++b) {
    std::vector<Event>& batch = made.batches.emplace_back(kBatch);
    for (Event& event : batch) {
      event.type = even(random) < 0.1 ? EventType::kClick : EventType::kImpression;
      event.user = ItemId(static_cast<int64_t>(even(random) * 100'000));
      event.item = id(static_cast<uint32_t>(std::pow(even(random), 3) * kItems));
      event.at = kNow + static_cast<int64_t>(number) / 10;
      ++number;
      if (!everything) continue;
      event.segments[0] = static_cast<uint8_t>(even(random) * 3);
      event.segments[1] = static_cast<uint8_t>(3 + even(random) * 2);
      event.event_id = "event-" + std::to_string(number);
    }
  }
  return made;
}

void record(feedrank::bench::Bench& bench, IdKind kind, bool everything) {
  World made = world(kind, everything);
  size_t next = 0;
  int64_t lap = 0;
  bench.measure([&] {
    std::vector<Event>& batch = made.batches[next];
    made.engagement->record(batch, batch.back().at);
    // The next lap is later and brings new ids, so that no event is a repetition.
    for (Event& event : batch) {
      event.at += 100'000;
      if (everything) event.event_id[0] = static_cast<char>('A' + (lap % 26));
    }
    if (++next == made.batches.size()) {
      next = 0;
      ++lap;
    }
  });
  bench.report("eventsPerSecond", kBatch / bench.times().median * 1000);
}

}  // namespace

BENCHMARK("record-events", "1,000 events with ids and segments, string ids, one thread (ms)") {
  record(bench, IdKind::kString, true);
}

BENCHMARK("record-events-integer",
          "1,000 events with ids and segments, integer ids, one thread (ms)") {
  record(bench, IdKind::kInteger, true);
}

BENCHMARK("record-counters", "1,000 events without ids and segments, one thread (ms)") {
  record(bench, IdKind::kInteger, false);
}
