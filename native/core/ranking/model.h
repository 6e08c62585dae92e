#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ranking/model_backend.h"

namespace feedrank {

/// A loaded ranking model, shared by all threads: it lends each caller a backend of its own, so
/// that no two threads run one module at once. As many as there are threads are made and warmed up
/// when the model is loaded, because a module's first passes are slow.
class Model {
 public:
  explicit Model(const ModelOptions& options)
      : features_(options.features), prototype_(load_torchscript(options)) {
    for (uint32_t i = 0; i < options.threads; ++i) {
      idle_.push_back(prototype_->clone());
      warm_up(*idle_.back(), features_);
    }
  }

  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  uint32_t features() const { return features_; }
  const std::vector<std::string>& heads() const { return prototype_->heads(); }

  void forward(const float* features, size_t rows, float* scores) {
    std::unique_ptr<ModelBackend> backend = borrow();
    backend->forward(features, rows, scores);
    std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(backend));
  }

 private:
  std::unique_ptr<ModelBackend> borrow() {
    std::scoped_lock lock(mutex_);
    if (idle_.empty()) return prototype_->clone();
    std::unique_ptr<ModelBackend> backend = std::move(idle_.back());
    idle_.pop_back();
    return backend;
  }

  const uint32_t features_;
  std::mutex mutex_;
  const std::unique_ptr<ModelBackend> prototype_;
  std::vector<std::unique_ptr<ModelBackend>> idle_;
};

}  // namespace feedrank
