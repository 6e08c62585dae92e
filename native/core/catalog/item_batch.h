#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "catalog/item_id.h"

namespace feedrank {

/// Items on their way into a catalog, a struct of arrays; position i of each array is item i.
/// Spaces, columns and labels follow the order of the catalog's schema.
struct ItemBatch {
  struct Vectors {
    /// n × dimensions, row-major; rows of items without a vector are ignored.
    std::span<const float> values;
    /// n flags.
    std::span<const uint8_t> present;
  };

  std::vector<ItemIdView> ids;  // their characters outlive the batch
  std::vector<int64_t> publish_times;
  std::vector<std::string> author_names;  // the distinct authors of the batch
  std::vector<uint32_t> authors;          // n positions in author_names, or StringTable::kNone
  std::vector<std::string> topic_names;
  std::vector<std::vector<uint32_t>> topics;
  std::vector<std::string> label_names;
  std::vector<std::vector<uint32_t>> labels;     // [label][item]
  std::vector<std::span<const double>> columns;  // [column][item]
  std::vector<Vectors> spaces;                   // [space]
};

struct UpsertResult {
  uint32_t inserted = 0;
  uint32_t replaced = 0;
  uint64_t epoch = 0;
};

struct RemoveResult {
  uint32_t removed = 0;
  uint32_t unknown = 0;
  uint64_t epoch = 0;
};

}  // namespace feedrank
