#include "ranking/item_tower.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "error.h"
#include "ranking/scripted_tower.h"

namespace feedrank {
namespace {

/// Rows of one pass, which bounds what the hidden layers take.
constexpr size_t kRows = 4096;

bool are_buckets(const std::vector<int64_t>& values, int64_t buckets) {
  return std::all_of(values.begin(), values.end(),
                     [buckets](int64_t value) { return value >= 0 && value < buckets; });
}

}  // namespace

ItemTower::ItemTower(const std::string& bytes, const Shape& shape)
    : shape_(shape), tower_(std::make_unique<ScriptedTower>(bytes, "itemTower")) {
  (void)forward({{0},
                 std::vector<float>(shape.attributes, std::numeric_limits<float>::quiet_NaN()),
                 std::vector<int64_t>(shape.categories, 0)});
}

ItemTower::~ItemTower() = default;

std::vector<float> ItemTower::forward(const ItemTowerInput& input) {
  const size_t n = input.ids.size();
  if (input.attributes.size() != n * shape_.attributes ||
      input.categories.size() != n * shape_.categories ||
      !are_buckets(input.ids, shape_.id_buckets) ||
      !are_buckets(input.categories, shape_.category_buckets)) {
    throw Error("INVALID_ARGUMENT", "items",
                "items: expected buckets and values of the tower's shape");
  }
  std::vector<float> vectors(n * shape_.dimensions);
  for (size_t from = 0; from < n; from += kRows) {
    const size_t count = std::min(kRows, n - from);
    const auto rows = static_cast<int64_t>(count);
    const at::Tensor ids =
        at::from_blob(const_cast<int64_t*>(input.ids.data()) + from, {rows}, at::kLong);
    const at::Tensor attributes =
        at::from_blob(const_cast<float*>(input.attributes.data()) + from * shape_.attributes,
                      {rows, shape_.attributes}, at::kFloat);
    const at::Tensor categories =
        at::from_blob(const_cast<int64_t*>(input.categories.data()) + from * shape_.categories,
                      {rows, shape_.categories}, at::kLong);
    tower_->forward({ids, attributes, categories}, count, shape_.dimensions,
                    vectors.data() + from * shape_.dimensions);
  }
  for (size_t i = 0; i < vectors.size(); ++i) {
    if (std::isfinite(vectors[i])) continue;
    throw Error("MODEL_OUTPUT", "itemTower",
                "itemTower: expected finite vectors, got NaN or infinity for item " +
                    std::to_string(i / shape_.dimensions));
  }
  return vectors;
}

}  // namespace feedrank
