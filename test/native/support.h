#ifndef FEEDRANK_TEST_NATIVE_SUPPORT_H_
#define FEEDRANK_TEST_NATIVE_SUPPORT_H_

// What several suites need: catalogs filled from plain structs, error codes, random numbers.

#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"
#include "error.h"
#include "features/engagement.h"

namespace feedrank::testing {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The code of the Error that a call throws, "none" where it throws nothing.
template <typename Call>
std::string error_code(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return "none";
}

inline Engagement::Options engagement_options(std::vector<int64_t> half_lives_ms,
                                              uint32_t max_users = 100) {
  Engagement::Options options;
  options.half_lives_ms = std::move(half_lives_ms);
  options.users.max_users = max_users;
  return options;
}

/// Adds to one counter of the item in a slot.
inline void count(CounterStore& store, Slot slot, Counter counter, int64_t at, double amount) {
  const Addition addition{lane_of(counter), amount};
  store.add(slot, at, {&addition, 1});
}

/// An event as a test writes it; fields that it does not name keep their defaults.
inline Event event(EventType type, UserId user, ItemId item, int64_t at, double dwell_ms = 0,
                   std::string event_id = "") {
  Event made;
  made.type = type;
  made.user = std::move(user);
  made.item = std::move(item);
  made.at = at;
  made.dwell_ms = dwell_ms;
  made.event_id = std::move(event_id);
  return made;
}

/// An item as a test writes it; what is left out is missing.
struct TestItem {
  ItemId id;
  int64_t published = 0;
  std::string author = {};
  std::vector<std::string> topics = {};
  std::vector<std::vector<float>> vectors = {};  // [space]; empty where the item has none
  std::vector<double> columns = {};
  std::vector<std::string> labels = {};
};

/// Lays items out as a catalog takes them, and owns what the batch refers to.
class Batch {
 public:
  Batch(const CatalogSchema& schema, const std::vector<TestItem>& items)
      : columns_(schema.columns.size()),
        values_(schema.spaces.size()),
        present_(schema.spaces.size()) {
    batch_.labels.resize(schema.labels.size());
    ids_.reserve(items.size());
    for (const TestItem& item : items) add(schema, item);
    for (const auto& column : columns_) batch_.columns.emplace_back(column);
    for (size_t s = 0; s < values_.size(); ++s) batch_.spaces.push_back({values_[s], present_[s]});
  }

  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  const ItemBatch& get() const { return batch_; }

 private:
  static uint32_t place(std::vector<std::string>& names, const std::string& name) {
    if (name.empty()) return StringTable::kNone;
    for (uint32_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) return i;
    }
    names.push_back(name);
    return static_cast<uint32_t>(names.size() - 1);
  }

  void add(const CatalogSchema& schema, const TestItem& item) {
    batch_.ids.push_back(view_of(ids_.emplace_back(item.id)));
    batch_.publish_times.push_back(item.published);
    batch_.authors.push_back(place(batch_.author_names, item.author));
    std::vector<uint32_t> topics;
    for (const auto& topic : item.topics) topics.push_back(place(batch_.topic_names, topic));
    batch_.topics.push_back(std::move(topics));
    for (size_t l = 0; l < batch_.labels.size(); ++l) {
      const std::string label = l < item.labels.size() ? item.labels[l] : "";
      batch_.labels[l].push_back(place(batch_.label_names, label));
    }
    for (size_t c = 0; c < columns_.size(); ++c) {
      columns_[c].push_back(c < item.columns.size() ? item.columns[c] : kNaN);
    }
    for (size_t s = 0; s < values_.size(); ++s) {
      const bool has = s < item.vectors.size() && !item.vectors[s].empty();
      present_[s].push_back(has ? 1 : 0);
      // What stands in for a missing vector must never be read, so it is poison.
      for (uint32_t d = 0; d < schema.spaces[s].dimensions; ++d) {
        values_[s].push_back(has ? item.vectors[s][d] : std::numeric_limits<float>::quiet_NaN());
      }
    }
  }

  ItemBatch batch_;
  std::vector<ItemId> ids_;
  std::vector<std::vector<double>> columns_;
  std::vector<std::vector<float>> values_;
  std::vector<std::vector<uint8_t>> present_;
};

inline CatalogSchema integer_schema(uint32_t dimensions = 2) {
  return {IdKind::kInteger, {{"tower", dimensions, "1"}}, {"quality"}, {}};
}

inline std::shared_ptr<Catalog> integer_catalog(uint32_t dimensions = 2) {
  return std::make_shared<Catalog>(integer_schema(dimensions));
}

inline UpsertResult upsert(Catalog& catalog, const std::vector<TestItem>& items) {
  const UpsertResult result = catalog.upsert(Batch(catalog.schema(), items).get());
  catalog.tidy();
  return result;
}

inline RemoveResult remove(Catalog& catalog, const std::vector<ItemId>& ids) {
  const RemoveResult result = catalog.remove(ids);
  catalog.tidy();
  return result;
}

inline Row row_of(const Snapshot& snapshot, const ItemId& id) {
  return snapshot.catalog().resolve(snapshot, std::vector<ItemId>{id}).front();
}

inline Slot slot_of(const Catalog& catalog, const ItemId& id) {
  return catalog.slots(std::vector<ItemId>{id}).front();
}

inline bool is_alive(const Catalog& catalog, Slot slot) {
  return catalog.alive(std::vector<Slot>{slot}).front() != 0;
}

/// Integer ids separated by spaces, so that a failed comparison shows both lists.
inline std::string text(const std::vector<int64_t>& ids) {
  std::string joined;
  for (const int64_t id : ids) {
    if (!joined.empty()) joined += ' ';
    joined += std::to_string(id);
  }
  return joined;
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  /// Uniform in [0, bound).
  int64_t below(int64_t bound) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(bound));
  }
  /// Uniform in [low, high).
  double between(double low, double high) {
    return low + (high - low) * (static_cast<double>(engine_() >> 11) * 0x1p-53);
  }
  bool chance(double probability) { return between(0, 1) < probability; }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace feedrank::testing

#endif  // FEEDRANK_TEST_NATIVE_SUPPORT_H_
