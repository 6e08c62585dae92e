#pragma once

#include <cstddef>
#include <vector>

#include "catalog/item_batch.h"
#include "catalog/schema.h"

namespace feedrank {

/// What checking a batch finds out on the way and writing it needs.
struct CheckedBatch {
  std::vector<size_t> hashes;             // [item], of the ids
  std::vector<std::vector<float>> norms;  // [space][item]; −1 where the item has no vector
};

/// Throws DUPLICATE_ID where an id comes twice, and INVALID_ARGUMENT where one is not of the
/// catalog's kind or a vector is not finite or too long.
CheckedBatch check_batch(const CatalogSchema& schema, const ItemBatch& batch);

/// Throws INVALID_ARGUMENT where an id is not of this kind.
void check_kind(const ItemIdView& id, IdKind kind);

}  // namespace feedrank
