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
      columns(schema.columns.size(),
              std::vector<double>(kRows, std::numeric_limits<double>::quiet_NaN())) {
  for (uint32_t i = 0; i < kRows; ++i) {
    // A fresh row is invisible at every epoch.
    added_[i].store(kNever, std::memory_order_relaxed);
    removed_[i].store(0, std::memory_order_relaxed);
  }
  bytes_ = sizeof(Chunk) + size_t{kRows} * (sizeof(ItemId) + sizeof(int64_t) + sizeof(Slot) +
                                            sizeof(Row) + sizeof(uint32_t) +
                                            sizeof(std::vector<uint32_t>) +
                                            labels.size() * sizeof(uint32_t) +
                                            columns.size() * sizeof(double));
  for (const SpaceSchema& space : schema.spaces) {
    const size_t count = size_t{kRows} * space.dimensions;
    // Left uninitialised on purpose: pages are touched only as rows are filled.
    auto* data = static_cast<float*>(::operator new[](count * sizeof(float), std::align_val_t{64}));
    spaces_.push_back({space.dimensions, std::unique_ptr<float[], AlignedDelete>(data),
                       std::vector<float>(kRows, -1.0F)});
    bytes_ += count * sizeof(float) + kRows * sizeof(float);
  }
}

}  // namespace feedrank
