// Generators that go by segments, by what a query follows and by what is read together.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "check.h"
#include "features/co_read.h"
#include "request_support.h"
#include "slate/co_read_items.h"
#include "slate/generators.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using Kind = GeneratorStage::Kind;

/// Items with few publish times, some of them in the future, of few authors and topics.
std::vector<TestItem> random_items(Random& random, int64_t count) {
  std::vector<TestItem> items;
  for (int64_t id = 0; id < count; ++id) {
    std::vector<std::string> topics;
    for (int64_t t = random.below(3); t > 0; --t) {
      topics.push_back("topic " + std::to_string(random.below(60)));
    }
    const std::string author =
        random.chance(0.2) ? "" : "author " + std::to_string(random.below(300));
    items.push_back({id, kNowMs - (random.below(60) - 3) * kHourMs, author, topics, {{1, 0}}, {0}});
  }
  std::shuffle(items.begin(), items.end(), random.engine());
  return items;
}

std::string ids_of(const Snapshot& snapshot, const std::vector<Retrieved>& items) {
  std::vector<int64_t> ids;
  for (const Retrieved& item : items) ids.push_back(std::get<int64_t>(snapshot.id(item.row)));
  return text(ids);
}

}  // namespace

TEST_CASE("the followed generator finds the newest items of what a query follows") {
  Random random(3);
  // Beyond one chunk, so that chunks are passed over.
  const auto catalog = integer_catalog();
  std::vector<TestItem> items = random_items(random, 20'000);
  upsert(*catalog, items);
  std::set<int64_t> gone;
  std::vector<ItemId> removed;
  for (int i = 0; i < 500; ++i) {
    const int64_t id = random.below(20'000);
    if (gone.insert(id).second) removed.emplace_back(id);
  }
  remove(*catalog, removed);
  std::erase_if(items,
                [&](const TestItem& item) { return gone.contains(std::get<int64_t>(item.id)); });
  std::sort(items.begin(), items.end(), [](const TestItem& a, const TestItem& b) {
    return a.published != b.published ? a.published > b.published : a.id < b.id;
  });
  const auto snapshot = catalog->pin();
  for (int round = 0; round < 20; ++round) {
    AuthorsAndTopics follows;
    for (int64_t n = random.below(4); n > 0; --n) {
      follows.authors.push_back("author " + std::to_string(random.below(310)));
    }
    for (int64_t n = random.below(3); n > 0; --n) {
      follows.topics.push_back("topic " + std::to_string(random.below(62)));
    }
    const std::set<std::string> authors(follows.authors.begin(), follows.authors.end());
    const std::set<std::string> topics(follows.topics.begin(), follows.topics.end());
    std::vector<int64_t> expected;
    std::vector<double> scores;
    for (const TestItem& item : items) {
      const bool topical = std::any_of(item.topics.begin(), item.topics.end(),
                                       [&](const auto& topic) { return topics.contains(topic); });
      if (!topical && !authors.contains(item.author)) continue;
      expected.push_back(std::get<int64_t>(item.id));
      scores.push_back(-static_cast<double>(std::max<int64_t>(0, kNowMs - item.published)) /
                       static_cast<double>(kHourMs));
    }
    for (const uint32_t k : {1U, 10U, 300U, 20'000U}) {
      const auto found = followed_items(*snapshot, follows, kNowMs, k);
      auto first = expected;
      first.resize(std::min<size_t>(k, first.size()));
      EXPECT_EQ(ids_of(*snapshot, found), text(first));
      for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].score, scores[i]);
    }
  }
}

TEST_CASE("trending by segment counts the query's own value of it, and sits out without one") {
  Random random(4);
  World world;
  auto options = engagement_options({kHourMs});
  options.segmentations = {{"device", {"desktop", "mobile"}}, {"surface", {"front"}}};
  options.segment_half_lives_ms = {kHourMs, 4 * kHourMs};
  world.engagement = std::make_shared<Engagement>(world.catalog, options);
  world.add_items(60);
  std::map<int64_t, std::map<uint8_t, double>> clicks;
  std::vector<Event> events;
  for (int i = 0; i < 900; ++i) {
    const int64_t item = 1 + random.below(60);
    const auto value = static_cast<uint8_t>(random.below(2));
    // At one instant an item, so that equal counts tie.
    const int64_t at = kNowMs - (item % 3) * 60'000;
    Event made = event(random.chance(0.7) ? EventType::kClick : EventType::kImpression, UserId("u"),
                       item, at);
    made.segments[0] = value;
    if (made.type == EventType::kClick) {
      clicks[item][value] += std::exp2(-static_cast<double>(kNowMs - at) / (4.0 * kHourMs));
    }
    events.push_back(made);
  }
  world.engagement->record(events, kNowMs);
  remove(*world.catalog, {ItemId{int64_t{7}}, ItemId{int64_t{8}}});
  world.add_generator("trending", Kind::kTrending, 25);
  world.plan.generators[0].half_life = 1;
  world.plan.generators[0].segment = 0;
  for (const uint8_t value : {uint8_t{0}, uint8_t{1}}) {
    std::vector<std::pair<double, int64_t>> best;
    for (const auto& [item, counts] : clicks) {
      const auto found = counts.find(value);
      if (found != counts.end() && item != 7 && item != 8) best.emplace_back(-found->second, item);
    }
    // Smaller ids are newer.
    std::sort(best.begin(), best.end(), [](const auto& a, const auto& b) {
      return std::abs(a.first - b.first) > 1e-9 ? a.first < b.first : a.second < b.second;
    });
    best.resize(25);
    std::vector<int64_t> expected;
    for (const auto& [count, item] : best) expected.push_back(item);
    world.query.segments[0] = value;
    const auto request = world.done();
    EXPECT_EQ(candidates_of(*request), text(expected));
    for (size_t i = 0; i < best.size(); ++i) {
      EXPECT_NEAR(request->candidates().source_scores[i], -best[i].first, 1e-9);
    }
  }
  world.query.segments = kNoSegments;
  world.query.segments[1] = 2;
  const auto request = world.done();
  EXPECT_EQ(stage_of(*request, "trending").skipped, "no segment value");
  EXPECT_EQ(candidates_of(*request), "");
}

TEST_CASE("trending goes by any counter") {
  World world;
  world.add_items(5);
  world.happened(EventType::kClick, UserId("a"), 1);
  for (int i = 0; i < 2; ++i) world.happened(EventType::kImpression, UserId("a"), 2);
  world.happened(EventType::kReport, UserId("a"), 3);
  world.add_generator("trending", Kind::kTrending);
  EXPECT_EQ(candidates_of(*world.done()), "1");
  world.plan.generators[0].counter = Counter::kImpressions;
  EXPECT_EQ(candidates_of(*world.done()), "2");
  world.plan.generators[0].counter = Counter::kReports;  // It lies in the other store.
  EXPECT_EQ(candidates_of(*world.done()), "3");
}

namespace {

/// Reads at random, and co-reads counted from the events themselves.
struct CoReadWorld {
  World world;
  std::vector<Event> events;
  std::map<int64_t, std::vector<std::pair<int64_t, int64_t>>> reads_of;  // user: (at, item)

  CoReadWorld(Random& random, int64_t items, int count) {
    auto options = engagement_options({kHourMs});
    options.co_read.pairs = {6 * kHourMs, 1024};
    options.co_read.window_ms = 5 * kHourMs;
    options.co_read.reads = 20;
    world.engagement = std::make_shared<Engagement>(world.catalog, options);
    world.add_items(items);
    for (int i = 0; i < count; ++i) {
      const int64_t at = kNowMs - (count - i) * (24 * kHourMs / count);
      events.push_back(event(EventType::kRead, random.below(12), 1 + random.below(items), at));
    }
    world.engagement->record(events, kNowMs);
    for (const Event& read : events) {
      auto& own = reads_of[std::get<int64_t>(read.user)];
      const int64_t item = std::get<int64_t>(read.item);
      const auto known = std::find_if(own.begin(), own.end(),
                                      [&](const auto& earlier) { return earlier.second == item; });
      if (known != own.end()) {
        // Read again: it counts once, but is the latest of the reader's reads.
        own.erase(known);
        own.emplace_back(read.at, item);
        continue;
      }
      const double weight = decay(read.at);
      totals[item] += weight;
      int paired = 0;
      for (auto earlier = own.rbegin(); earlier != own.rend() && paired < 20; ++earlier) {
        if (read.at - earlier->first > options.co_read.window_ms) continue;
        ++paired;
        pairs[{item, earlier->second}] += weight;
        pairs[{earlier->second, item}] += weight;
      }
      own.emplace_back(read.at, item);
    }
  }

  static double decay(int64_t at) {
    return std::exp2(-static_cast<double>(kNowMs - at) / (6.0 * kHourMs));
  }

  /// By item, what the generator should find.
  std::map<int64_t, double> expected(std::optional<int64_t> user, std::optional<int64_t> page) {
    std::vector<int64_t> sources;
    std::set<int64_t> known;
    if (page) sources.push_back(*page);
    if (user) {
      const auto& own = reads_of[*user];
      for (size_t i = own.size(); i-- > 0 && own.size() - i <= 20;) {
        if (page != own[i].second) sources.push_back(own[i].second);
      }
      for (const auto& [at, item] : own) known.insert(item);
    }
    if (page) known.insert(*page);
    std::map<int64_t, double> found;
    for (const int64_t source : sources) {
      for (const auto& [pair, weight] : pairs) {
        if (pair.first != source || known.contains(pair.second)) continue;
        found[pair.second] += weight / (std::sqrt(totals[source] + kCoReadSmoothing) *
                                        std::sqrt(totals[pair.second] + kCoReadSmoothing));
      }
    }
    return found;
  }

  std::map<int64_t, double> totals;
  std::map<std::pair<int64_t, int64_t>, double> pairs;
};

}  // namespace

TEST_CASE("the co-read generator sums similarities to what was read last and to the page's item") {
  for (uint64_t seed = 5; seed < 9; ++seed) {
    Random random(seed);
    CoReadWorld world(random, 80, 700);
    const auto snapshot = world.world.catalog->pin();
    for (int64_t user = -1; user < 12; ++user) {
      for (const auto page :
           {std::optional<int64_t>{}, std::optional<int64_t>{1}, std::optional<int64_t>{9'999}}) {
        Query query;
        query.now = kNowMs;
        if (user >= 0) query.user = UserId(user);
        if (page) query.current_item = ItemId(*page);
        const auto known = user >= 0 ? std::optional<int64_t>(user) : std::nullopt;
        const auto expected =
            world.expected(known, page == 9'999 ? std::optional<int64_t>{} : page);
        const auto found = co_read_items(*snapshot, *world.world.engagement, query, 500);
        if (user < 0 && page != 1) {
          EXPECT(!found);
          continue;
        }
        REQUIRE(found.has_value());
        EXPECT_EQ(found->size(), expected.size());
        for (size_t i = 0; i < found->size(); ++i) {
          const int64_t id = std::get<int64_t>(snapshot->id((*found)[i].row));
          REQUIRE(expected.contains(id));
          EXPECT_NEAR((*found)[i].score, expected.at(id), 1e-9);
          if (i > 0) EXPECT((*found)[i].score <= (*found)[i - 1].score);
        }
        const auto few = co_read_items(*snapshot, *world.world.engagement, query, 3);
        auto first = *found;
        first.resize(std::min<size_t>(3, first.size()));
        EXPECT_EQ(ids_of(*snapshot, *few), ids_of(*snapshot, first));
      }
    }
  }
}

TEST_CASE("co-read items that have left the catalog are not found, nor what took their slot") {
  World world;
  world.add_items(4);
  for (const int64_t user : {1, 2, 3}) {
    for (const int64_t item : {1, 2, 3}) world.happened(EventType::kRead, UserId(user), item);
  }
  world.query.user = UserId(int64_t{9});
  world.happened(EventType::kRead, UserId(int64_t{9}), 1);
  world.add_generator("co-read", Kind::kCoRead);
  EXPECT_EQ(candidates_of(*world.done()), "2 3");
  remove(*world.catalog, {ItemId{int64_t{2}}});
  upsert(*world.catalog, {{77, kNowMs, "", {}, {{1, 0}}, {0}}});
  EXPECT_EQ(candidates_of(*world.done()), "3");
  // What was read may be gone as well: its co-reads speak until another item has its slot.
  remove(*world.catalog, {ItemId{int64_t{3}}});
  EXPECT_EQ(candidates_of(*world.done()), "");
}

TEST_CASE("generators with nothing to go by say so, and that is the end of it") {
  World world;
  world.add_items(3);
  world.add_generator("followed", Kind::kFollowed);
  world.add_generator("co-read", Kind::kCoRead);
  world.query.user = UserId("stranger");
  const auto request = world.done();
  EXPECT_EQ(stage_of(*request, "followed").skipped, "nothing followed");
  EXPECT_EQ(stage_of(*request, "co-read").skipped, "nothing read");
  world.query.follows.authors = {"nobody"};
  EXPECT_EQ(stage_of(*world.done(), "followed").skipped, "");
}

TEST_CASE("a page of the wrong kind of id is the caller's mistake, not the generator's") {
  World world;
  world.add_items(3);
  world.add_generator("co-read", Kind::kCoRead);
  world.query.current_item = ItemId("text");
  EXPECT_EQ(error_code([&] { world.done(); }), "INVALID_ARGUMENT");
}
