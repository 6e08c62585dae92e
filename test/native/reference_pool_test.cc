#include "features/reference_pool.h"

#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include "check.h"
#include "features/standardisation.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kGrid = 300'000;
constexpr int64_t kNow = 1'700'000'100'000 / kGrid * kGrid;  // a grid instant

const Feature kQuality{FeatureSource::kColumn, {}, {}, 0, 0};

struct Scene {
  std::shared_ptr<Catalog> catalog = integer_catalog();
  Engagement engagement{catalog, engagement_options({kHour})};

  Scene() {
    std::vector<TestItem> items;
    for (int64_t id = 1; id <= 4; ++id) {
      items.push_back({id, kNow - kHour, "", {}, {}, {std::pow(10.0, static_cast<double>(id))}});
    }
    upsert(*catalog, items);
  }

  void shown(int64_t item, int64_t at, int64_t now) {
    const Event happened = event(EventType::kImpression, 7, item, at);
    engagement.record({&happened, 1}, now);
  }
  size_t size(int64_t now) { return engagement.pool(now)->size(); }
};

}  // namespace

TEST_CASE("standardisation is of the whole set, and 0 where it is flat") {
  std::vector<double> values = {4, 1, 1, 6};
  const auto of_four = Standardisation::of(values);
  EXPECT_NEAR(of_four.mean, 3, 1e-15);
  EXPECT_NEAR(of_four.deviation, std::sqrt((1.0 + 4 + 4 + 9) / 4), 1e-15);
  std::vector<double> equal = {0.1, 0.1, 0.1};
  EXPECT_EQ(Standardisation::of(equal).apply(0.1), 0.0);
  std::vector<double> rounded = {0.1, 0.1 + 1e-16, 0.1 - 1e-16};
  EXPECT_EQ(Standardisation::of(rounded).apply(0.1 + 1e-16), 0.0);
  std::vector<double> none;
  EXPECT_EQ(Standardisation::of(none).apply(5), 0.0);
}

TEST_CASE("standardisation does not depend on the order of the values") {
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(std::sin(i) * std::exp(i % 37));
  std::vector<double> reversed(values.rbegin(), values.rend());
  const auto once = Standardisation::of(values);
  const auto again = Standardisation::of(reversed);
  EXPECT_EQ(once.mean, again.mean);
  EXPECT_EQ(once.deviation, again.deviation);
}

TEST_CASE("a batch at or after an instant does not belong to its pool, one before it does") {
  Scene scene;
  scene.engagement.want_pool();
  scene.shown(1, kNow - 1, kNow - 1);
  scene.shown(2, kNow - 1, kNow);
  EXPECT_EQ(scene.size(kNow), 1U);
  EXPECT_EQ(scene.size(kNow + kGrid - 1), 1U);
  EXPECT_EQ(scene.size(kNow + kGrid), 2U);
}

TEST_CASE("a request ahead of a batch leaves no trace once the batch has come") {
  Scene scene;
  EXPECT_EQ(scene.size(kNow + 1), 0U);
  scene.shown(1, kNow - 5, kNow - 5);
  EXPECT_EQ(scene.size(kNow + 1), 1U);
  scene.shown(2, kNow - 4, kNow - 4);
  scene.shown(3, kNow, kNow + 2);
  EXPECT_EQ(scene.size(kNow + 1), 2U);
}

TEST_CASE("a pool is frozen late where nobody had asked, and as of the instant that has passed") {
  Scene scene;
  scene.shown(1, kNow, kNow + 10);
  scene.shown(2, kNow, kNow + 20);
  EXPECT_EQ(scene.size(kNow + 30), 2U);
  scene.shown(3, kNow, kNow + 40);
  EXPECT_EQ(scene.size(kNow + 50), 2U);
}

TEST_CASE("requests from before get their own instant, then the oldest that is held") {
  Scene scene;
  scene.engagement.want_pool();
  for (int64_t i = 1; i <= 4; ++i) scene.shown(i, kNow, kNow + i * kGrid);
  EXPECT_EQ(scene.size(kNow + 4 * kGrid), 3U);
  EXPECT_EQ(scene.size(kNow + 3 * kGrid), 2U);
  EXPECT_EQ(scene.size(kNow - 100 * kGrid), 2U);
}

TEST_CASE("requests from far ahead take nothing from those of the present") {
  Scene scene;
  scene.shown(1, kNow, kNow);
  const auto present = scene.engagement.pool(kNow + 1);
  for (int64_t i = 1; i < 50; ++i) EXPECT(scene.engagement.pool(kNow + i * 7 * kGrid) != nullptr);
  EXPECT_EQ(scene.engagement.pool(kNow + 1), present);
}

TEST_CASE("statistics are shared by definition and are those of the frozen values") {
  Scene scene;
  scene.engagement.want_pool();
  scene.shown(1, kNow - 2, kNow - 1);
  scene.shown(2, kNow - 2, kNow - 1);
  const auto pool = scene.engagement.pool(kNow);
  upsert(*scene.catalog, {{1, kNow - kHour, "", {}, {}, {-5}}});
  const auto once = pool->statistics({&kQuality, 1}, {})[0];
  EXPECT_NEAR(once.mean, 55, 1e-12);
  EXPECT_NEAR(once.deviation, 45, 1e-12);
  const Feature same = kQuality;
  EXPECT_EQ(pool->statistics({&same, 1}, {})[0].mean, once.mean);
}

TEST_CASE("pools may be asked for while events are recorded") {
  Scene scene;
  scene.engagement.want_pool();
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&scene, &done, t] {
      for (int64_t i = 0; !done.load(); ++i) {
        const auto pool = scene.engagement.pool(kNow + (i * (t + 1)) % 40 * kGrid);
        const auto statistics = pool->statistics({&kQuality, 1}, {});
        if (!std::isfinite(statistics[0].apply(3))) std::abort();
      }
    });
  }
  for (int64_t i = 0; i < 400; ++i) {
    scene.shown(1 + i % 4, kNow + i * kGrid / 10, kNow + i * kGrid / 10);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(scene.size(kNow + 50 * kGrid), 4U);
}
