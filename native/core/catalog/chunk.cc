#include "catalog/chunk.h"

#include <limits>

#include "catalog/string_table.h"

namespace feedrank {

Chunk::Chunk(const CatalogSchema& schema)
    : id(kRows),
      publish_time(kRows, 0),
      slot(kRows),
      previous(kRows, kNoRow),
      author(kRows, StringTable::kNone),
      topics(kRows),
      labels(schema.labels.size(), std::vector<uint32_t>(kRows, StringTable::kNone)),
      column_count_(schema.columns.size()),
      spaces_(schema.spaces.size()) {
  for (uint32_t i = 0; i < kRows; ++i) {
    // A fresh row is invisible at every epoch.
    added_[i].store(kNever, std::memory_order_relaxed);
    removed_[i].store(0, std::memory_order_relaxed);
  }
  size_t column_bytes = sizeof(double);
  if (schema.column_precision == ColumnPrecision::kFloat32) {
    float32_columns_ = AlignedArray<float>(kRows * column_count_);
    column_bytes = sizeof(float);
  } else {
    float64_columns_ = AlignedArray<double>(kRows * column_count_);
  }
  for (auto& newest : newest_of_group_) newest.store(std::numeric_limits<int64_t>::min());
  bytes_ = sizeof(Chunk) +
           size_t{kRows} * (sizeof(ItemId) + sizeof(int64_t) + sizeof(Slot) + sizeof(Row) +
                            sizeof(uint32_t) + sizeof(std::vector<uint32_t>) +
                            labels.size() * sizeof(uint32_t) + column_count_ * column_bytes);
  for (size_t s = 0; s < spaces_.size(); ++s) {
    const size_t count = size_t{kRows} * schema.spaces[s].dimensions;
    spaces_[s].dimensions = schema.spaces[s].dimensions;
    // Left uninitialised on purpose: pages are touched only as rows are filled.
    spaces_[s].data = AlignedArray<float>(count);
    spaces_[s].norm.assign(kRows, -1.0F);
    bytes_ += count * sizeof(float) + kRows * sizeof(float);
  }
}

void Chunk::set_norm(uint32_t space, uint32_t offset, float norm) {
  spaces_[space].norm[offset] = norm;
  if (norm > largest_norm(space)) {
    spaces_[space].largest_norm.store(norm, std::memory_order_relaxed);
  }
}

void Chunk::set_publish_time(uint32_t offset, int64_t at) {
  publish_time[offset] = at;
  if (at > newest()) newest_.store(at, std::memory_order_relaxed);
  if (at > newest_near(offset)) {
    newest_of_group_[offset / kGroupRows].store(at, std::memory_order_relaxed);
  }
}

}  // namespace feedrank
