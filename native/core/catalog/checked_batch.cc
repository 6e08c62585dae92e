#include "catalog/checked_batch.h"

#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "error.h"

namespace feedrank {
namespace {

std::vector<size_t> checked_ids(const CatalogSchema& schema, std::span<const ItemIdView> ids) {
  std::vector<size_t> hashes;
  hashes.reserve(ids.size());
  // Which item was the first at each place; half of them stay empty.
  constexpr uint32_t kNobody = UINT32_MAX;
  std::vector<uint32_t> first(std::bit_ceil(2 * ids.size() + 1), kNobody);
  for (uint32_t i = 0; i < ids.size(); ++i) {
    check_kind(ids[i], schema.id_kind);
    hashes.push_back(ItemIdHash{}(ids[i]));
    size_t place = hashes[i] & (first.size() - 1);
    while (first[place] != kNobody) {
      if (hashes[first[place]] == hashes[i] && ids[first[place]] == ids[i]) {
        throw Error("DUPLICATE_ID", "items",
                    "items: id " + describe(owned(ids[i])) + " comes twice in one batch");
      }
      place = (place + 1) & (first.size() - 1);
    }
    first[place] = i;
  }
  return hashes;
}

/// Four sums side by side: a single one would wait for itself at every step.
double sum_of_squares(std::span<const float> values) {
  std::array<double, 4> sums{};
  size_t i = 0;
  for (; i + 4 <= values.size(); i += 4) {
    for (size_t j = 0; j < 4; ++j) sums[j] += double{values[i + j]} * values[i + j];
  }
  for (; i < values.size(); ++i) sums[0] += double{values[i]} * values[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

std::vector<float> checked_norms(const SpaceSchema& space, const ItemBatch::Vectors& vectors,
                                 std::span<const ItemIdView> ids) {
  std::vector<float> norms(ids.size(), -1.0F);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (vectors.present[i] == 0) continue;
    const double squares =
        sum_of_squares(vectors.values.subspan(i * space.dimensions, space.dimensions));
    // A sum of squares beyond float32 would make dot products overflow to infinity as well.
    if (!std::isfinite(squares) || squares > 1e30) {
      const std::string argument = "items[" + std::to_string(i) + "].embeddings." + space.name;
      throw Error("INVALID_ARGUMENT", argument,
                  argument + ": item " + describe(owned(ids[i])) +
                      " has a value that is not finite, or a length beyond 1e15");
    }
    norms[i] = static_cast<float>(std::sqrt(squares));
  }
  return norms;
}

}  // namespace

void check_kind(const ItemIdView& id, IdKind kind) {
  if (kind_of(id) == kind) return;
  throw Error("INVALID_ARGUMENT", "id",
              "id: the catalog's ids are " +
                  std::string(kind == IdKind::kString ? "strings" : "integers") + ", got " +
                  describe(owned(id)));
}

CheckedBatch check_batch(const CatalogSchema& schema, const ItemBatch& batch) {
  CheckedBatch checked{checked_ids(schema, batch.ids), {}};
  for (size_t s = 0; s < batch.spaces.size(); ++s) {
    checked.norms.push_back(checked_norms(schema.spaces[s], batch.spaces[s], batch.ids));
  }
  return checked;
}

}  // namespace feedrank
