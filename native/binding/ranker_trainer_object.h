#pragma once

#include <memory>
#include <mutex>

#include "node_api.h"

namespace feedrank {
class RankerTrainer;
}

namespace feedrank::binding {

/// A trainer of one ranking network. Made by `createRankerTrainer`, never by JavaScript's `new`.
class RankerTrainerObject : public Napi::ObjectWrap<RankerTrainerObject> {
 public:
  static constexpr napi_type_tag kTypeTag{0x6665656472616e6bULL, 0x747261696e000001ULL};
  static constexpr const char* kDescription = "a trainer of a ranker";

  /// The core's trainer is for one thread at a time.
  struct Shared {
    std::mutex mutex;
    std::unique_ptr<RankerTrainer> trainer;
  };

  static Napi::Function define(Napi::Env env);

  explicit RankerTrainerObject(const Napi::CallbackInfo& info);

  /// `createRankerTrainer(lists, options)`: a promise of a trainer.
  static Napi::Value create(const Napi::CallbackInfo& info);

  /// `exportRanker({ trainers, calibration })`: a promise of the bytes of a TorchScript file, whose
  /// scores are the means of what the trainers' networks say.
  static Napi::Value export_bytes(const Napi::CallbackInfo& info);

 private:
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value score(const Napi::CallbackInfo& info);
  Napi::Value keep(const Napi::CallbackInfo& info);
  Napi::Value restore(const Napi::CallbackInfo& info);

  std::shared_ptr<Shared> shared_;
};

}  // namespace feedrank::binding
