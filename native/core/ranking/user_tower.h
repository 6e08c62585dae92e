#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace feedrank {

class ScriptedTower;

/// What a user tower reads of one reader, as its forward takes it.
struct UserTowerInput {
  std::vector<float> reads;    // max_reads × dimensions, newest first; 0 where there are fewer
  std::vector<float> hours;    // max_reads: how long ago each was
  std::vector<float> present;  // max_reads: 1 for a read, 0 for none
  std::vector<float> context;  // NaN where missing
};

/// Turns a reader into a vector of the item tower's space. Shared by all threads.
class UserTower {
 public:
  struct Shape {
    uint32_t dimensions = 0;
    uint32_t max_reads = 0;
    uint32_t context = 0;
  };

  /// Loads a TorchScript file and makes it ready for so many threads. Throws MODEL_CORRUPT,
  /// MODEL_SHAPE, or MODEL_OUTPUT where a reader of whom nothing is known gets no finite vector.
  UserTower(const std::string& bytes, const Shape& shape, uint32_t threads);
  ~UserTower();

  UserTower(const UserTower&) = delete;
  UserTower& operator=(const UserTower&) = delete;

  const Shape& shape() const { return shape_; }

  /// Nothing read and no context.
  UserTowerInput empty_input() const;

  /// Throws MODEL_SHAPE, or MODEL_OUTPUT where the vector is not finite.
  std::vector<float> forward(const UserTowerInput& input);

 private:
  const Shape shape_;
  const std::unique_ptr<ScriptedTower> tower_;
};

}  // namespace feedrank
