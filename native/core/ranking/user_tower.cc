#include "ranking/user_tower.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "error.h"
#include "ranking/scripted_tower.h"

namespace feedrank {
namespace {

at::Tensor view(const std::vector<float>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
}

std::vector<c10::IValue> tensors(const UserTower::Shape& shape, const UserTowerInput& input) {
  const int64_t reads = shape.max_reads;
  return {view(input.reads, {1, reads, shape.dimensions}), view(input.hours, {1, reads}),
          view(input.present, {1, reads}), view(input.context, {1, shape.context})};
}

}  // namespace

UserTower::UserTower(const std::string& bytes, const Shape& shape, uint32_t threads)
    : shape_(shape), tower_(std::make_unique<ScriptedTower>(bytes, "userTower")) {
  const UserTowerInput input = empty_input();
  (void)forward(input);
  tower_->warm_up(threads, tensors(shape_, input), 1, shape_.dimensions);
}

UserTower::~UserTower() = default;

UserTowerInput UserTower::empty_input() const {
  return {std::vector<float>(size_t{shape_.max_reads} * shape_.dimensions, 0.0F),
          std::vector<float>(shape_.max_reads, 0.0F), std::vector<float>(shape_.max_reads, 0.0F),
          std::vector<float>(shape_.context, std::numeric_limits<float>::quiet_NaN())};
}

std::vector<float> UserTower::forward(const UserTowerInput& input) {
  std::vector<float> vector(shape_.dimensions);
  tower_->forward(tensors(shape_, input), 1, shape_.dimensions, vector.data());
  if (!std::all_of(vector.begin(), vector.end(), [](float v) { return std::isfinite(v); })) {
    throw Error("MODEL_OUTPUT", "userTower",
                "userTower: expected a finite vector, got NaN or infinity");
  }
  return vector;
}

}  // namespace feedrank
