#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "ranking/model_backend.h"
#include "ranking/scratch_memory.h"

namespace feedrank {

/// A backend for one thread, with room for the rows that are padded.
struct ModelLane {
  std::unique_ptr<ModelBackend> backend;
  std::vector<float> features;
  std::vector<float> scores;
  ScratchMemory scratch;
};

/// The few numbers of rows that a model is run with. Libraries prepare a kernel for each number
/// that they meet, which takes milliseconds and up to a megabyte; so lists are padded to the next
/// of these numbers, longer ones are run in parts, and each number is met when the model is loaded.
class RowBuckets {
 public:
  /// The most rows of one pass.
  static constexpr size_t kMostRows = 2048;

  /// Runs a model on zeros and on values in [-1, 1) in each bucket, as it will be run in service,
  /// and leaves out small buckets in which a row scores otherwise, to the last bit, than among
  /// 2,048: a library may add up in another order for few rows. Throws MODEL_OUTPUT where the model
  /// answers NaN or infinity, or where most rows' scores depend on other rows by more than
  /// rounding, |a − b| ≤ rounding · max(1, |b|).
  RowBuckets(ModelBackend& backend, uint32_t features, float rounding);

  /// The numbers of rows, ascending.
  const std::vector<size_t>& sizes() const { return sizes_; }
  /// Whether a row of a long list scores the same bits whatever is scored with it.
  bool rows_stand_alone() const { return rows_stand_alone_; }

  /// Makes another backend of the same model as fast as it will be.
  void warm_up(ModelLane& lane) const;

  /// Features [rows × features] to scores [rows × heads]. Rows that pad repeat the last one, so
  /// that no value is met that the caller did not give. Throws as ModelBackend::forward.
  void forward(ModelLane& lane, const float* features, size_t rows, float* scores) const;

 private:
  size_t bucket_of(size_t rows) const;

  uint32_t features_;
  std::vector<size_t> sizes_;
  bool rows_stand_alone_ = true;
};

}  // namespace feedrank
