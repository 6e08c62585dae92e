#include "two_tower_trainer_object.h"

#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "environment.h"

namespace feedrank::binding {
namespace {

TwoTowerOptions read_options(const ObjectReader& reader) {
  TwoTowerOptions options;
  options.dimensions = reader.count("dimensions");
  options.hidden = reader.count("hidden");
  options.max_reads = reader.count("maxReads");
  options.attributes = reader.count("attributes");
  options.categories = reader.count("categories");
  options.context = reader.count("context");
  options.id_buckets = reader.count("idBuckets");
  options.category_buckets = reader.count("categoryBuckets");
  options.unit_vectors = reader.flag("unitVectors");
  options.temperature = reader.number("temperature");
  options.tau_ms = reader.number("tauMs");
  options.id_dropout = reader.number("idDropout");
  options.learning_rate = reader.number("learningRate");
  options.embedding_learning_rate = reader.number("embeddingLearningRate");
  options.batch_size = reader.count("batchSize");
  options.seed = static_cast<uint64_t>(reader.number("seed"));
  return options;
}

std::vector<int64_t> instants(const ObjectReader& reader, const char* name) {
  std::vector<int64_t> instants;
  for (const double instant : reader.double_span(name)) {
    instants.push_back(static_cast<int64_t>(instant));
  }
  return instants;
}

template <typename T>
std::vector<T> whole_numbers(const ObjectReader& reader, const char* name) {
  const auto values = reader.uint32_span(name);
  return {values.begin(), values.end()};
}

}  // namespace

Napi::Function TwoTowerTrainerObject::define(Napi::Env env) {
  using Self = TwoTowerTrainerObject;
  return DefineClass(
      env, "TwoTowerTrainer",
      {InstanceMethod<&Self::add_items>("addItems"),
       InstanceMethod<&Self::add_examples>("addExamples"), InstanceMethod<&Self::begin>("begin"),
       InstanceMethod<&Self::step>("step"), InstanceMethod<&Self::validate>("validate"),
       InstanceMethod<&Self::keep>("keep"), InstanceMethod<&Self::restore>("restore"),
       InstanceMethod<&Self::files>("files")});
}

TwoTowerTrainerObject::TwoTowerTrainerObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&]() -> Napi::Value {
    executor_ = Environment::of(info.Env()).shared_executor();
    strand_ = std::make_shared<Strand>(*executor_);
    trainer_ = std::make_shared<TwoTowerTrainer>(read_options(ObjectReader(info[0], "options")));
    return info.Env().Undefined();
  });
}

Napi::Value TwoTowerTrainerObject::run(const Napi::CallbackInfo& info,
                                       std::function<void(TwoTowerTrainer&)> work) {
  return Environment::of(info.Env())
      .run<bool>(
          info.Env(), [this](Executor::Job job) { strand_->submit(std::move(job)); },
          [trainer = trainer_, work = std::move(work)] {
            work(*trainer);
            return true;
          },
          [](Napi::Env env, bool&) { return env.Undefined(); });
}

Napi::Value TwoTowerTrainerObject::add_items(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "items");
    auto items = std::make_shared<TwoTowerItems>();
    items->ids = whole_numbers<int64_t>(reader, "ids");
    items->attributes = reader.floats("attributes");
    items->categories = whole_numbers<int64_t>(reader, "categories");
    items->publish_times = instants(reader, "publishTimes");
    return run(info, [items](TwoTowerTrainer& trainer) { trainer.add(*items); });
  });
}

Napi::Value TwoTowerTrainerObject::add_examples(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "examples");
    auto examples = std::make_shared<TwoTowerExamples>();
    examples->clicked = whole_numbers<uint32_t>(reader, "clicked");
    examples->at = instants(reader, "at");
    examples->context = reader.floats("context");
    examples->reads = whole_numbers<uint32_t>(reader, "reads");
    examples->read_hours = reader.floats("readHours");
    examples->read_ends = whole_numbers<uint32_t>(reader, "readEnds");
    return run(info, [examples](TwoTowerTrainer& trainer) { trainer.add(*examples); });
  });
}

Napi::Value TwoTowerTrainerObject::begin(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const uint32_t training = info[0].ToNumber().Uint32Value();
    return run(info, [training](TwoTowerTrainer& trainer) { trainer.begin(training); });
  });
}

Napi::Value TwoTowerTrainerObject::run_counted(
    const Napi::CallbackInfo& info, TwoTowerTrainer::Progress (TwoTowerTrainer::*work)(double)) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const double milliseconds = info[0].ToNumber().DoubleValue();
    return Environment::of(info.Env())
        .run<TwoTowerTrainer::Progress>(
            info.Env(), [this](Executor::Job job) { strand_->submit(std::move(job)); },
            [trainer = trainer_, work, milliseconds] {
              return (trainer.get()->*work)(milliseconds);
            },
            [](Napi::Env env, const TwoTowerTrainer::Progress& progress) {
              auto object = Napi::Object::New(env);
              object.Set("epoch", progress.epoch);
              object.Set("batch", progress.batch);
              object.Set("batches", progress.batches);
              object.Set("examples", progress.examples);
              object.Set("lossSum", progress.loss_sum);
              object.Set("ended", progress.ended);
              return object;
            });
  });
}

Napi::Value TwoTowerTrainerObject::step(const Napi::CallbackInfo& info) {
  return run_counted(info, &TwoTowerTrainer::step);
}

Napi::Value TwoTowerTrainerObject::validate(const Napi::CallbackInfo& info) {
  return run_counted(info, &TwoTowerTrainer::validate);
}

Napi::Value TwoTowerTrainerObject::keep(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return run(info, [](TwoTowerTrainer& trainer) { trainer.keep(); });
  });
}

Napi::Value TwoTowerTrainerObject::restore(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return run(info, [](TwoTowerTrainer& trainer) { trainer.restore(); });
  });
}

Napi::Value TwoTowerTrainerObject::files(const Napi::CallbackInfo& info) {
  struct Files {
    std::string item_tower;
    std::string user_tower;
  };
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Environment::of(info.Env())
        .run<Files>(
            info.Env(), [this](Executor::Job job) { strand_->submit(std::move(job)); },
            [trainer = trainer_] {
              return Files{trainer->item_tower(), trainer->user_tower()};
            },
            [](Napi::Env env, const Files& files) {
              const auto copied = [env](const std::string& bytes) {
                return Napi::Buffer<char>::Copy(env, bytes.data(), bytes.size());
              };
              auto object = Napi::Object::New(env);
              object.Set("itemTower", copied(files.item_tower));
              object.Set("userTower", copied(files.user_tower));
              return object;
            });
  });
}

}  // namespace feedrank::binding
