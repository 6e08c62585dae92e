// Writes in the order they came, tidied up behind.

#include "catalog/write_queue.h"

#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kBatch = 300;

std::vector<TestItem> batch(int64_t number) {
  std::vector<TestItem> items;
  for (int64_t id = number * kBatch; id < (number + 1) * kBatch; ++id) {
    items.push_back({id, id, "", {}, {{1.0F, static_cast<float>(id)}}});
  }
  return items;
}

size_t segments(const Catalog& catalog) {
  return catalog.pin()->scan_view(0).list->segments.size();
}

/// Returns when what has been submitted so far, and what follows from it, has run: each time that
/// this asks for a turn, one that had been asked for before comes first.
void wait_for(WriteQueue& queue) {
  for (int turn = 0; turn < 100; ++turn) {
    std::latch ran(1);
    queue.submit([&] { ran.count_down(); });
    ran.wait();
  }
}

}  // namespace

TEST_CASE("a write can be seen when it ends, and segments are merged behind the writes") {
  Executor executor({2, 1000, {}});
  const auto catalog = integer_catalog(2);
  const auto queue = std::make_shared<WriteQueue>(executor, catalog);
  constexpr int64_t kWrites = 100;
  std::vector<std::vector<TestItem>> batches;
  for (int64_t number = 0; number < kWrites; ++number) batches.push_back(batch(number));
  std::latch done(kWrites);
  int unseen = 0;
  for (int64_t number = 0; number < kWrites; ++number) {
    queue->submit_write([&, number] {
      catalog->upsert(Batch(catalog->schema(), batches[static_cast<size_t>(number)]).get());
      if (row_of(*catalog->pin(), ItemId(number * kBatch)) == kNoRow) ++unseen;
      done.count_down();
    });
  }
  done.wait();
  wait_for(*queue);
  EXPECT_EQ(unseen, 0);
  EXPECT_EQ(catalog->size(), kWrites * kBatch);
  EXPECT(segments(*catalog) <= 15);
  EXPECT(!catalog->tidy());
}

TEST_CASE("merges that were begun are ended when no more writes come") {
  Executor executor({1, 1000, {}});
  const auto catalog = integer_catalog(2);
  const auto queue = std::make_shared<WriteQueue>(executor, catalog);
  // More than is moved behind a single write.
  for (int64_t number = 0; number < 64; ++number) {
    catalog->upsert(Batch(catalog->schema(), batch(number)).get());
  }
  catalog->tidy(1);
  std::latch done(1);
  queue->submit_write([&] {
    catalog->remove(std::vector<ItemId>{int64_t{5}});
    done.count_down();
  });
  done.wait();
  wait_for(*queue);
  EXPECT(!catalog->tidy());
  EXPECT(segments(*catalog) <= 15);
}

TEST_CASE("a queue of writes may end before its jobs, and none of them is lost or leaks") {
  const auto held = std::make_shared<int>(0);
  Executor executor({1, 1000, {}});
  std::latch opened(1);
  std::latch done(3);
  std::weak_ptr<WriteQueue> watched;
  {
    const auto queue = std::make_shared<WriteQueue>(executor, integer_catalog(2));
    watched = queue;
    queue->submit([&] { opened.wait(); });
    for (int i = 0; i < 3; ++i) queue->submit_write([held, &done] { done.count_down(); });
  }
  EXPECT(watched.expired());
  opened.count_down();
  done.wait();
  while (held.use_count() > 1) std::this_thread::yield();
  auto dropped = std::make_unique<Executor>(Executor::Options{1, 1000, {}});
  {
    const auto queue = std::make_shared<WriteQueue>(*dropped, integer_catalog(2));
    for (int i = 0; i < 200; ++i) queue->submit_write([held] {});
    dropped.reset();
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST_CASE("a full queue refuses a write, and goes on tidying behind those that it takes") {
  Executor executor({1, 2, {}});
  const auto catalog = integer_catalog(2);
  const auto queue = std::make_shared<WriteQueue>(executor, catalog);
  std::latch entered(1);
  std::latch opened(1);
  std::latch done(2);
  queue->submit([&] {
    entered.count_down();
    opened.wait();
  });
  entered.wait();
  for (int64_t number = 0; number < 64; ++number) {
    catalog->upsert(Batch(catalog->schema(), batch(number)).get());
  }
  for (int i = 0; i < 2; ++i) queue->submit_write([&] { done.count_down(); });
  EXPECT_EQ(error_code([&] { queue->submit_write([] {}); }), "OVERLOADED");
  opened.count_down();
  done.wait();
  wait_for(*queue);
  EXPECT(!catalog->tidy());
}
