#include "features/frozen_pool.h"

#include "catalog/catalog.h"
#include "features/item_signals.h"

namespace feedrank {

FrozenPool::FrozenPool(const Sources& sources, int64_t at, int64_t since)
    : at_(at),
      totals_(sources.totals),
      half_lives_(sources.counted.half_lives()),
      columns_(sources.snapshot.catalog().schema().columns.size()) {
  const CounterStore::Scan counted(sources.counted);
  const CounterStore::Scan quality(sources.quality);
  std::vector<Slot> slots;
  counted.for_each_seen_since(since, [&](Slot slot, int64_t) { slots.push_back(slot); });
  const std::vector<Row> rows = sources.snapshot.catalog().resolve_slots(sources.snapshot, slots);
  items_.reserve(rows.size());
  column_values_.reserve(rows.size() * columns_);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == kNoRow) continue;
    items_.push_back({sources.snapshot.publish_time(rows[i]), counted.read(slots[i], at),
                      quality.read(slots[i], at)});
    const ItemColumns columns =
        sources.snapshot.chunk_of(rows[i]).columns(Snapshot::offset_of(rows[i]));
    for (size_t c = 0; c < columns_; ++c) column_values_.push_back(columns[c]);
  }
}

std::vector<Standardisation> FrozenPool::statistics(std::span<const Feature> features,
                                                    const Smoothing& smoothing) const {
  std::vector<Standardisation> statistics;
  statistics.reserve(features.size());
  std::scoped_lock lock(mutex_);
  for (const Feature& feature : features) {
    const std::pair key(feature, smoothing);
    auto found = computed_.find(key);
    if (found == computed_.end()) {
      found = computed_.emplace(key, compute(feature, smoothing)).first;
    }
    statistics.push_back(found->second);
  }
  return statistics;
}

Standardisation FrozenPool::compute(const Feature& feature, const Smoothing& smoothing) const {
  std::vector<double> values;
  values.reserve(items_.size());
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    const ItemSignals signals{at_,
                              item.publish_time,
                              item.counted,
                              item.quality,
                              totals_,
                              half_lives_,
                              {column_values_.data() + i * columns_, nullptr}};
    values.push_back(transformed(item_value(feature, smoothing, signals), feature));
  }
  return Standardisation::of(values);
}

}  // namespace feedrank
