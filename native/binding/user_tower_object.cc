#include "user_tower_object.h"

#include <string>
#include <utility>

#include "environment.h"
#include "error.h"
#include "wrapped.h"

namespace feedrank::binding {

Napi::Function UserTowerObject::define(Napi::Env env) {
  return DefineClass(env, "UserTower",
                     {InstanceMethod<&UserTowerObject::encode>("encode"),
                      InstanceMethod<&UserTowerObject::share>("share"),
                      InstanceMethod<&UserTowerObject::release>("release")});
}

UserTowerObject::UserTowerObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsExternal()) {
      throw Error("INVALID_ARGUMENT", "userTower", "userTower: load one with loadUserTower");
    }
    tower_ = *info[0].As<Napi::External<std::shared_ptr<UserTower>>>().Data();
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    return info.Env().Undefined();
  });
}

Napi::Value UserTowerObject::load(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    const auto bytes = reader.byte_span("bytes");
    auto file = std::make_shared<const std::string>(bytes.begin(), bytes.end());
    const UserTower::Shape shape{reader.count("dimensions"), reader.count("maxReads"),
                                 reader.count("context")};
    Environment& environment = Environment::of(info.Env());
    const uint32_t threads = environment.executor().threads();
    return environment.run<std::shared_ptr<UserTower>>(
        info.Env(), environment.aside(),
        [file, shape, threads] { return std::make_shared<UserTower>(*file, shape, threads); },
        [](Napi::Env env, std::shared_ptr<UserTower>& tower) -> Napi::Value {
          const auto handle = Napi::External<std::shared_ptr<UserTower>>::New(env, &tower);
          return Environment::of(env).classes.user_tower.New({handle});
        });
  });
}

const std::shared_ptr<UserTower>& UserTowerObject::tower() const { return held(tower_, "towers"); }

Napi::Value UserTowerObject::share(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    std::shared_ptr<UserTower> shared = held(tower_, "towers");
    const auto handle = Napi::External<std::shared_ptr<UserTower>>::New(info.Env(), &shared);
    return Environment::of(info.Env()).classes.user_tower.New({handle});
  });
}

Napi::Value UserTowerObject::release(const Napi::CallbackInfo& info) {
  tower_.reset();
  return info.Env().Undefined();
}

Napi::Value UserTowerObject::encode(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    auto input = std::make_shared<UserTowerInput>(
        UserTowerInput{reader.floats("reads"), reader.floats("hours"), reader.floats("present"),
                       reader.floats("context")});
    const UserTowerInput expected = tower()->empty_input();
    if (input->reads.size() != expected.reads.size() ||
        input->hours.size() != expected.hours.size() ||
        input->present.size() != expected.present.size() ||
        input->context.size() != expected.context.size()) {
      throw Error("INVALID_ARGUMENT", "input", "input: expected values of the tower's shape");
    }
    Environment& environment = Environment::of(info.Env());
    return environment.run<std::vector<float>>(
        info.Env(), reader.flag("aside") ? environment.aside() : environment.anywhere(),
        [tower = tower_, input] { return tower->forward(*input); },
        [](Napi::Env env, const std::vector<float>& vector) {
          return to_float32_array(env, vector);
        });
  });
}

ReaderEncoder read_reader_encoder(const ObjectReader& reader, const CatalogSchema& schema,
                                  uint32_t context_values) {
  ReaderEncoder encoder;
  encoder.name = reader.text("name");
  encoder.space = schema.space_index(reader.text("space"), "towers.space");
  encoder.tower = unwrap<UserTowerObject>(reader.value("tower"), "towers").tower();
  const auto context = reader.uint32_span("context");
  encoder.context = {context.begin(), context.end()};
  const UserTower::Shape& shape = encoder.tower->shape();
  if (schema.spaces[encoder.space].dimensions != shape.dimensions) {
    throw Error("DIMENSION_MISMATCH", "towers.space",
                "towers.space: expected a space of " + std::to_string(shape.dimensions) +
                    " dimensions, got " + std::to_string(schema.spaces[encoder.space].dimensions));
  }
  bool fits = context.size() == shape.context;
  for (const uint32_t value : context) fits = fits && value < context_values;
  if (!fits) {
    throw Error("INVALID_ARGUMENT", "towers.context",
                "towers.context: expected the tower's own context values");
  }
  return encoder;
}

}  // namespace feedrank::binding
