#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace feedrank {

class ScriptedTower;

/// What an item tower reads of some items, as its forward takes it.
struct ItemTowerInput {
  std::vector<int64_t> ids;         // n buckets; 0 where the id is unknown
  std::vector<float> attributes;    // n × attributes; NaN where missing
  std::vector<int64_t> categories;  // n × categories buckets; 0 for none
};

/// Turns items into vectors of the space that it was trained with. Shared by all threads.
class ItemTower {
 public:
  struct Shape {
    uint32_t dimensions = 0;
    uint32_t attributes = 0;
    uint32_t categories = 0;
    uint32_t id_buckets = 0;
    uint32_t category_buckets = 0;
  };

  /// Loads a TorchScript file. Throws MODEL_CORRUPT, MODEL_SHAPE, or MODEL_OUTPUT where an item of
  /// which nothing is known gets no finite vector.
  ItemTower(const std::string& bytes, const Shape& shape);
  ~ItemTower();

  ItemTower(const ItemTower&) = delete;
  ItemTower& operator=(const ItemTower&) = delete;

  const Shape& shape() const { return shape_; }

  /// n × dimensions values. Throws INVALID_ARGUMENT where the input does not fit the shape,
  /// MODEL_SHAPE, or MODEL_OUTPUT naming the first item whose vector is not finite.
  std::vector<float> forward(const ItemTowerInput& input);

 private:
  const Shape shape_;
  const std::unique_ptr<ScriptedTower> tower_;
};

}  // namespace feedrank
