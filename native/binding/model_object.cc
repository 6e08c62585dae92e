#include "model_object.h"

#include <cmath>
#include <string>
#include <utility>

#include "arguments.h"
#include "environment.h"
#include "error.h"
#include "ranking/scripted_network.h"
#include "wrapped.h"

namespace feedrank::binding {
namespace {

Precision precision_of(const std::string& name) {
  if (name == "float32") return Precision::kFloat32;
  if (name == "bfloat16") return Precision::kBfloat16;
  if (name == "int8") return Precision::kInt8;
  throw Error("INVALID_ARGUMENT", "precision",
              "precision: expected 'float32', 'bfloat16' or 'int8', got '" + name + "'");
}

}  // namespace

Napi::Function ModelObject::define(Napi::Env env) {
  return DefineClass(
      env, "Model",
      {InstanceMethod<&ModelObject::score>("score"), InstanceMethod<&ModelObject::share>("share"),
       InstanceMethod<&ModelObject::release>("release"),
       InstanceAccessor<&ModelObject::heads>("heads")});
}

ModelObject::ModelObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsExternal()) {
      throw Error("INVALID_ARGUMENT", "model", "model: load one with Model.load");
    }
    model_ = *info[0].As<Napi::External<std::shared_ptr<Model>>>().Data();
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    return info.Env().Undefined();
  });
}

Napi::Value ModelObject::load(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    Environment& environment = Environment::of(info.Env());
    const std::span<const uint8_t> bytes = reader.byte_span("bytes");
    // A copy, which JavaScript cannot change between the caller's inspection and the load.
    const auto options =
        std::make_shared<const ModelOptions>(ModelOptions{{bytes.begin(), bytes.end()},
                                                          reader.text("name"),
                                                          reader.count("features"),
                                                          reader.texts("heads"),
                                                          environment.executor().threads(),
                                                          precision_of(reader.text("precision")),
                                                          reader.flag("compiled"),
                                                          reader.text("device")});
    return environment.run<std::shared_ptr<Model>>(
        info.Env(), environment.aside(), [options] { return std::make_shared<Model>(*options); },
        [](Napi::Env env, std::shared_ptr<Model>& model) -> Napi::Value {
          const auto handle = Napi::External<std::shared_ptr<Model>>::New(env, &model);
          return Environment::of(env).classes.model.New({handle});
        });
  });
}

Napi::Value ModelObject::save_network(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "network");
    auto network = std::make_shared<ScriptedNetwork>();
    network->mean = reader.floats("mean");
    network->scale = reader.floats("scale");
    for_each_object(reader.array("layers"), "network.layers", [&](const ObjectReader& layer) {
      network->layers.push_back({layer.count("inputs"), layer.count("outputs"),
                                 layer.floats("weights"), layer.floats("bias")});
    });
    const std::string path = info[1].ToString().Utf8Value();
    Environment& environment = Environment::of(info.Env());
    return environment.run<bool>(
        info.Env(), environment.anywhere(),
        [network, path] {
          save_scripted_network(*network, path);
          return true;
        },
        [](Napi::Env env, bool&) { return env.Undefined(); });
  });
}

Napi::Value ModelObject::operators_among(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    std::vector<std::string> operators;
    for (std::string& name : reader.texts("names")) {
      if (is_operator(name)) operators.push_back(std::move(name));
    }
    return to_string_array(info.Env(), operators);
  });
}

const std::shared_ptr<Model>& ModelObject::model() const { return held(model_, "model"); }

Napi::Value ModelObject::share(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    std::shared_ptr<Model> shared = held(model_, "model");
    const auto handle = Napi::External<std::shared_ptr<Model>>::New(info.Env(), &shared);
    return Environment::of(info.Env()).classes.model.New({handle});
  });
}

Napi::Value ModelObject::release(const Napi::CallbackInfo& info) {
  model_.reset();
  return info.Env().Undefined();
}

Napi::Value ModelObject::heads(const Napi::CallbackInfo& info) {
  return guarded(info.Env(),
                 [&]() -> Napi::Value { return to_string_array(info.Env(), model()->heads()); });
}

Napi::Value ModelObject::score(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    auto features = std::make_shared<std::vector<float>>(reader.floats("features"));
    const uint32_t width = model()->features();
    if (features->size() % width != 0) {
      throw Error("DIMENSION_MISMATCH", "features",
                  "features: expected a multiple of " + std::to_string(width) + " values, got " +
                      std::to_string(features->size()));
    }
    Environment& environment = Environment::of(info.Env());
    return environment.run<std::vector<float>>(
        info.Env(), reader.flag("aside") ? environment.aside() : environment.anywhere(),
        [model = model_, features, width] {
          const size_t rows = features->size() / width;
          std::vector<float> scores(rows * model->heads().size());
          if (rows > 0) model->forward(features->data(), rows, scores.data());
          for (size_t i = 0; i < scores.size(); ++i) {
            if (std::isfinite(scores[i])) continue;
            throw Error("MODEL_OUTPUT", "features",
                        "features: expected finite scores, got NaN or infinity for row " +
                            std::to_string(i / model->heads().size()));
          }
          return scores;
        },
        [](Napi::Env env, const std::vector<float>& scores) {
          return to_float32_array(env, scores);
        });
  });
}

}  // namespace feedrank::binding
