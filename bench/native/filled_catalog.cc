#include "filled_catalog.h"

#include <algorithm>
#include <vector>

namespace feedrank::bench {

std::shared_ptr<Catalog> filled_catalog(const DataSet& set, bool approximate) {
  auto catalog = std::make_shared<Catalog>(
      CatalogSchema{IdKind::kInteger, {{"tower", set.dimensions, "1", approximate}}, {}, {}});
  constexpr uint32_t kBatch = 1000;
  const std::vector<uint8_t> present(kBatch, 1);
  for (uint32_t begin = 0; begin < set.items; begin += kBatch) {
    const uint32_t count = std::min(kBatch, set.items - begin);
    ItemBatch batch;
    for (uint32_t i = begin; i < begin + count; ++i) {
      batch.ids.emplace_back(int64_t{i});
      batch.publish_times.push_back(set.publish_times[i]);
    }
    batch.authors.assign(count, StringTable::kNone);
    batch.topics.resize(count);
    batch.spaces.push_back(
        {std::span(set.vectors)
             .subspan(size_t{begin} * set.dimensions, size_t{count} * set.dimensions),
         std::span(present).first(count)});
    catalog->upsert(batch);
    catalog->tidy();
  }
  while (catalog->tidy()) {
  }
  return catalog;
}

}  // namespace feedrank::bench
