#pragma once

#include <functional>
#include <memory>

#include "node_api.h"
#include "runtime/executor.h"
#include "training/two_tower_trainer.h"

namespace feedrank::binding {

/// `new TwoTowerTrainer(options)`. Its methods are promises, and run one after another in the order
/// of the calls, each as a short job beside other requests.
class TwoTowerTrainerObject : public Napi::ObjectWrap<TwoTowerTrainerObject> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit TwoTowerTrainerObject(const Napi::CallbackInfo& info);

 private:
  /// `addItems({ ids, attributes, categories, publishTimes })`
  Napi::Value add_items(const Napi::CallbackInfo& info);
  /// `addExamples({ clicked, at, context, reads, readHours, readEnds })`
  Napi::Value add_examples(const Napi::CallbackInfo& info);
  /// `begin(trainingExamples)`
  Napi::Value begin(const Napi::CallbackInfo& info);
  /// `step(milliseconds)` and `validate(milliseconds)`: what was done.
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value validate(const Napi::CallbackInfo& info);
  Napi::Value keep(const Napi::CallbackInfo& info);
  Napi::Value restore(const Napi::CallbackInfo& info);
  /// `files()`: `{ itemTower, userTower }`, buffers.
  Napi::Value files(const Napi::CallbackInfo& info);

  Napi::Value run(const Napi::CallbackInfo& info, std::function<void(TwoTowerTrainer&)> work);
  Napi::Value run_counted(const Napi::CallbackInfo& info,
                          TwoTowerTrainer::Progress (TwoTowerTrainer::*work)(double));

  std::shared_ptr<Executor> executor_;  // outlives the strand on it
  std::shared_ptr<Strand> strand_;
  std::shared_ptr<TwoTowerTrainer> trainer_;
};

}  // namespace feedrank::binding
