// What a catalog costs: memory per item, and writes while it is searched.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "benchmark.h"
#include "catalog/catalog.h"
#include "retrieval/fused_retriever.h"

namespace {

using namespace feedrank;
using Clock = std::chrono::steady_clock;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr double kTau = 24 * 3'600'000.0;
constexpr uint32_t kDimensions = 64;
constexpr uint32_t kItems = 1'000'000;
constexpr uint32_t kBatch = 1000;

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Ids of 16 characters, or integers.
ItemId id_of(IdKind kind, uint32_t number) {
  const std::string digits = std::to_string(number);
  if (kind == IdKind::kInteger) return int64_t{number};
  return std::string(16 - digits.size(), 'i') + digits;
}

class Writer {
 public:
  explicit Writer(IdKind kind)
      : catalog(
            std::make_shared<Catalog>(CatalogSchema{kind, {{"tower", kDimensions, "1"}}, {}, {}})),
        kind_(kind) {}

  /// Items of ages in no order.
  void upsert(uint32_t first) {
    std::exponential_distribution<double> age(1 / kTau);
    std::normal_distribution<float> normal(0, 0.125F);
    ItemBatch batch;
    std::vector<float> vectors(size_t{kBatch} * kDimensions);
    for (float& value : vectors) value = normal(random_);
    const std::vector<uint8_t> present(kBatch, 1);
    std::vector<ItemId> ids;
    ids.reserve(kBatch);
    for (uint32_t i = 0; i < kBatch; ++i) {
      batch.ids.push_back(view_of(ids.emplace_back(id_of(kind_, first + i))));
      batch.publish_times.push_back(kNow - static_cast<int64_t>(age(random_)));
    }
    batch.authors.assign(kBatch, StringTable::kNone);
    batch.topics.resize(kBatch);
    batch.spaces.push_back({vectors, present});
    const auto begin = Clock::now();
    catalog->upsert(batch);
    catalog->tidy();
    seconds += std::chrono::duration<double>(Clock::now() - begin).count();
  }

  void fill() {
    for (uint32_t first = 0; first < kItems; first += kBatch) upsert(first);
  }

  std::shared_ptr<Catalog> catalog;
  double seconds = 0;  // spent in upserts

 private:
  IdKind kind_;
  std::mt19937_64 random_{1};
};

}  // namespace

BENCHMARK("catalog-memory",
          "bytes an item of a catalog of 1M x 64, and one upsert of 1,000 items") {
  const double before = resident_bytes();
  Writer integers(IdKind::kInteger);
  integers.fill();
  const double with_integers = resident_bytes();
  Writer strings(IdKind::kString);
  strings.fill();
  const double with_strings = resident_bytes();
  bench.report("resident bytes an item, integer ids", (with_integers - before) / kItems);
  bench.report("resident bytes an item, ids of 16 characters",
               (with_strings - with_integers) / kItems);
  bench.report("items a second while filling", kItems / integers.seconds);
  uint32_t next = 0;
  bench.measure([&] {
    integers.upsert(next);
    next = (next + kBatch) % kItems;
  });
  bench.report("resident bytes an item after replacements",
               (resident_bytes() - with_strings + with_integers - before) / kItems);
}

BENCHMARK("retrieval-beside-writes",
          "exact decayed top 500 of 1M x 64, one query, while upserts of 1,000 items run") {
  Writer writer(IdKind::kInteger);
  writer.fill();
  std::mt19937_64 random(2);
  std::normal_distribution<float> normal(0, 0.125F);
  std::vector<float> user(kDimensions);
  for (float& value : user) value = normal(random);
  const auto retriever = make_fused_retriever();
  std::atomic<bool> stop{false};
  uint32_t written = 0;
  writer.seconds = 0;
  std::thread thread([&] {
    for (uint32_t first = 0; !stop; first = (first + kBatch) % kItems) {
      writer.upsert(first);
      written += kBatch;
    }
  });
  bench.measure([&] {
    const auto snapshot = writer.catalog->pin();
    const RetrievalQuery query{user, kNow, kTau, 500, NegativeDots::kDecay};
    bench::keep(retriever->retrieve(*snapshot, 0, {&query, 1}, nullptr));
  });
  stop = true;
  thread.join();
  bench.report("items a second", written / writer.seconds);
}
