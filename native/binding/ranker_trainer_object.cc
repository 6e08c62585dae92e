#include "ranker_trainer_object.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "environment.h"
#include "error.h"
#include "ranking_lists_object.h"
#include "training/ranker_trainer.h"
#include "wrapped.h"

namespace feedrank::binding {
namespace {

using Shared = RankerTrainerObject::Shared;

template <typename Value>
Value one_of(const ObjectReader& reader, const char* name,
             const std::vector<std::pair<const char*, Value>>& choices) {
  const std::string given = reader.text(name);
  for (const auto& [text, value] : choices) {
    if (given == text) return value;
  }
  throw Error("INVALID_ARGUMENT", name, std::string(name) + ": there is no '" + given + "'");
}

RankerTrainingOptions read_options(const ObjectReader& reader) {
  RankerTrainingOptions options;
  options.architecture.features = reader.count("features");
  const auto hidden = reader.uint32_span("hidden");
  options.architecture.hidden = {hidden.begin(), hidden.end()};
  options.architecture.cross_layers = reader.count("crossLayers");
  options.architecture.heads = reader.texts("heads");
  options.loss = one_of<RankingLoss>(reader, "loss",
                                     {{"pairwise", RankingLoss::kPairwise},
                                      {"lambdarank", RankingLoss::kLambdaRank},
                                      {"softmax", RankingLoss::kSoftmax}});
  options.negatives = reader.count("negatives");
  options.dwell_weight = reader.number("dwellWeight");
  options.score_dwell = reader.number("scoreDwell");
  options.dropout = reader.number("dropout");
  options.learning_rate = reader.number("learningRate");
  options.weight_decay = reader.number("weightDecay");
  options.batch_lists = reader.count("batchLists");
  options.epochs = reader.count("epochs");
  options.seed = static_cast<uint64_t>(reader.number("seed"));
  options.positions = reader.flag("positions");
  options.fairness = one_of<FairnessRegularizer>(reader, "fairness",
                                                 {{"pairwise", FairnessRegularizer::kPairwise},
                                                  {"disparity", FairnessRegularizer::kDisparity}});
  options.fairness_weight = reader.number("fairnessWeight");
  options.teacher_scores = reader.floats("teacherScores");
  options.distillation_weight = reader.number("distillationWeight");
  options.sparsity = reader.number("sparsity");
  options.first_list = reader.count("firstList");
  options.end_list = reader.count("endList");
  return options;
}

ClickCalibration read_calibration(const ObjectReader& reader) {
  ClickCalibration calibration;
  calibration.kind =
      one_of<ClickCalibration::Kind>(reader, "kind",
                                     {{"none", ClickCalibration::Kind::kNone},
                                      {"platt", ClickCalibration::Kind::kPlatt},
                                      {"isotonic", ClickCalibration::Kind::kIsotonic}});
  calibration.slope = reader.number("slope");
  calibration.offset = reader.number("offset");
  calibration.scores = reader.floats("scores");
  calibration.probabilities = reader.floats("probabilities");
  if (calibration.kind == ClickCalibration::Kind::kIsotonic &&
      (calibration.scores.size() < 2 ||
       calibration.scores.size() != calibration.probabilities.size())) {
    throw Error("INVALID_ARGUMENT", "calibration.scores",
                "calibration.scores: expected two or more, and a probability for each");
  }
  return calibration;
}

}  // namespace

Napi::Function RankerTrainerObject::define(Napi::Env env) {
  return DefineClass(env, "RankerTrainer",
                     {InstanceMethod<&RankerTrainerObject::step>("step"),
                      InstanceMethod<&RankerTrainerObject::score>("score"),
                      InstanceMethod<&RankerTrainerObject::keep>("keep"),
                      InstanceMethod<&RankerTrainerObject::restore>("restore")});
}

RankerTrainerObject::RankerTrainerObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsExternal()) {
      throw Error("INVALID_ARGUMENT", "trainer", "trainer: train with train()");
    }
    shared_ = *info[0].As<Napi::External<std::shared_ptr<Shared>>>().Data();
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    return info.Env().Undefined();
  });
}

Napi::Value RankerTrainerObject::create(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto data = unwrap<RankingListsObject>(info[0], "lists").seal();
    const RankerTrainingOptions options = read_options(ObjectReader(info[1], "options"));
    std::shared_ptr<Shared> start;
    if (!info[2].IsUndefined()) start = unwrap<RankerTrainerObject>(info[2], "start").shared_;
    Environment& environment = Environment::of(info.Env());
    return environment.run<std::shared_ptr<Shared>>(
        info.Env(), environment.anywhere(),
        [data, options, start] {
          auto shared = std::make_shared<Shared>();
          if (start == nullptr) {
            shared->trainer = std::make_unique<RankerTrainer>(data, options);
          } else {
            const std::scoped_lock lock(start->mutex);
            shared->trainer = std::make_unique<RankerTrainer>(data, options, *start->trainer);
          }
          return shared;
        },
        [](Napi::Env env, std::shared_ptr<Shared>& shared) -> Napi::Value {
          const auto handle = Napi::External<std::shared_ptr<Shared>>::New(env, &shared);
          return Environment::of(env).classes.ranker_trainer.New({handle});
        });
  });
}

Napi::Value RankerTrainerObject::step(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::chrono::milliseconds budget(info[0].ToNumber().Uint32Value());
    Environment& environment = Environment::of(info.Env());
    return environment.run<RankerTrainer::Progress>(
        info.Env(), environment.anywhere(),
        [shared = shared_, budget] {
          const std::scoped_lock lock(shared->mutex);
          return shared->trainer->step(budget);
        },
        [](Napi::Env env, const RankerTrainer::Progress& progress) {
          auto object = Napi::Object::New(env);
          object.Set("epoch", progress.epoch);
          object.Set("batches", progress.batches);
          object.Set("loss", progress.loss);
          object.Set("penalty", progress.penalty);
          object.Set("rows", static_cast<double>(progress.rows));
          object.Set("epochEnded", progress.epoch_ended);
          return object;
        });
  });
}

Napi::Value RankerTrainerObject::score(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const size_t first = info[0].ToNumber().Uint32Value();
    const size_t end = info[1].ToNumber().Uint32Value();
    Environment& environment = Environment::of(info.Env());
    return environment.run<std::vector<float>>(
        info.Env(), environment.anywhere(),
        [shared = shared_, first, end] {
          const std::scoped_lock lock(shared->mutex);
          return shared->trainer->score(first, end);
        },
        [](Napi::Env env, const std::vector<float>& scores) {
          return to_float32_array(env, scores);
        });
  });
}

Napi::Value RankerTrainerObject::keep(const Napi::CallbackInfo& info) {
  const std::scoped_lock lock(shared_->mutex);
  shared_->trainer->keep();
  return info.Env().Undefined();
}

Napi::Value RankerTrainerObject::restore(const Napi::CallbackInfo& info) {
  const std::scoped_lock lock(shared_->mutex);
  shared_->trainer->restore();
  return info.Env().Undefined();
}

Napi::Value RankerTrainerObject::export_bytes(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    const Napi::Array trainers = reader.array("trainers");
    std::vector<std::shared_ptr<Shared>> members;
    for (uint32_t i = 0; i < trainers.Length(); ++i) {
      members.push_back(unwrap<RankerTrainerObject>(trainers.Get(i), "trainers").shared_);
    }
    if (members.empty()) {
      throw Error("INVALID_ARGUMENT", "trainers", "trainers: expected at least one");
    }
    const ClickCalibration calibration = read_calibration(reader.object("calibration"));
    Environment& environment = Environment::of(info.Env());
    return environment.run<std::string>(
        info.Env(), environment.anywhere(),
        [members, calibration] {
          std::vector<std::unique_lock<std::mutex>> locks;
          std::vector<const RankerTrainer*> trainers;
          for (const auto& member : members) {
            locks.emplace_back(member->mutex);
            trainers.push_back(member->trainer.get());
          }
          return export_ranker(trainers, calibration);
        },
        [](Napi::Env env, const std::string& bytes) {
          return Napi::Buffer<uint8_t>::Copy(env, reinterpret_cast<const uint8_t*>(bytes.data()),
                                             bytes.size());
        });
  });
}

}  // namespace feedrank::binding
