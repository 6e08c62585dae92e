#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ranking/model_backend.h"
#include "ranking/row_buckets.h"
#include "runtime/parallel.h"

namespace feedrank {

/// A loaded ranking model, shared by all threads: it lends each caller a backend of its own, so
/// that no two threads run one module at once; weights are shared. As many as there are threads are
/// made and warmed up when the model is loaded, because a module's first passes are slow.
class Model {
 public:
  /// Throws as the backend's loader and RowBuckets do.
  explicit Model(const ModelOptions& options) : Model(options, load(options)) {}

  /// Of a backend that was loaded already with these options.
  Model(const ModelOptions& options, std::unique_ptr<ModelBackend> backend)
      : features_(options.features),
        on_processor_(options.device == "cpu"),
        prototype_(std::move(backend)),
        // A package may have been compiled in any precision.
        buckets_(*prototype_, options.features,
                 rounding_of(options.compiled ? Precision::kBfloat16 : options.precision)) {
    for (uint32_t i = 0; i < options.threads; ++i) {
      idle_.push_back(new_lane());
      buckets_.warm_up(idle_.back());
    }
  }

  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  uint32_t features() const { return features_; }
  const std::vector<std::string>& heads() const { return prototype_->heads(); }
  const RowBuckets& buckets() const { return buckets_; }

  /// Scores each row as if it were alone; idle threads of `helpers` take part where there are many
  /// and it makes no difference to them. Throws as ModelBackend::forward.
  void forward(const float* features, size_t rows, float* scores, Executor* helpers = nullptr) {
    // Fewer rows are not worth waking a thread for.
    constexpr size_t kLeast = 256;
    // A device divides the rows of a pass by itself.
    Executor* const sharing = on_processor_ && buckets_.rows_stand_alone() ? helpers : nullptr;
    split_in_parallel(sharing, rows, kLeast, [&](size_t begin, size_t count) {
      ModelLane lane = borrow();
      buckets_.forward(lane, features + begin * features_, count, scores + begin * heads().size());
      std::scoped_lock lock(mutex_);
      idle_.push_back(std::move(lane));
    });
  }

 private:
  static std::unique_ptr<ModelBackend> load(const ModelOptions& options) {
    if (options.compiled) return load_compiled(options);
    return options.device == "cpu" ? load_torchscript(options) : load_on_device(options);
  }

  ModelLane new_lane() const { return {prototype_->clone(), {}, {}, {}}; }

  ModelLane borrow() {
    std::scoped_lock lock(mutex_);
    if (idle_.empty()) return new_lane();
    ModelLane lane = std::move(idle_.back());
    idle_.pop_back();
    return lane;
  }

  const uint32_t features_;
  const bool on_processor_;
  std::mutex mutex_;
  const std::unique_ptr<ModelBackend> prototype_;
  const RowBuckets buckets_;
  std::vector<ModelLane> idle_;
};

}  // namespace feedrank
