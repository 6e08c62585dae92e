#include "item_tower_object.h"

#include <algorithm>
#include <string>
#include <utility>

#include "arguments.h"
#include "environment.h"
#include "error.h"
#include "ranking/tower_buckets.h"
#include "wrapped.h"

namespace feedrank::binding {

Napi::Function ItemTowerObject::define(Napi::Env env) {
  return DefineClass(env, "ItemTower",
                     {InstanceMethod<&ItemTowerObject::encode>("encode"),
                      InstanceMethod<&ItemTowerObject::share>("share"),
                      InstanceMethod<&ItemTowerObject::release>("release")});
}

ItemTowerObject::ItemTowerObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsExternal()) {
      throw Error("INVALID_ARGUMENT", "itemTower", "itemTower: load one with loadItemTower");
    }
    tower_ = *info[0].As<Napi::External<std::shared_ptr<ItemTower>>>().Data();
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    return info.Env().Undefined();
  });
}

Napi::Value ItemTowerObject::load(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    const auto bytes = reader.byte_span("bytes");
    auto file = std::make_shared<const std::string>(bytes.begin(), bytes.end());
    const ItemTower::Shape shape{reader.count("dimensions"), reader.count("attributes"),
                                 reader.count("categories"), reader.count("idBuckets"),
                                 reader.count("categoryBuckets")};
    Environment& environment = Environment::of(info.Env());
    return environment.run<std::shared_ptr<ItemTower>>(
        info.Env(), environment.aside(),
        [file, shape] { return std::make_shared<ItemTower>(*file, shape); },
        [](Napi::Env env, std::shared_ptr<ItemTower>& tower) -> Napi::Value {
          const auto handle = Napi::External<std::shared_ptr<ItemTower>>::New(env, &tower);
          return Environment::of(env).classes.item_tower.New({handle});
        });
  });
}

Napi::Value ItemTowerObject::buckets(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const uint32_t count = info[1].ToNumber().Uint32Value();
    if (count < 2) throw Error("INVALID_ARGUMENT", "buckets", "buckets: expected at least 2");
    const std::vector<ItemId> ids = to_item_ids(info[0], "ids");
    auto buckets = Napi::Uint32Array::New(info.Env(), ids.size());
    for (size_t i = 0; i < ids.size(); ++i) buckets[i] = tower_bucket(ids[i], count);
    return buckets;
  });
}

Napi::Value ItemTowerObject::share(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    std::shared_ptr<ItemTower> shared = held(tower_, "towers");
    const auto handle = Napi::External<std::shared_ptr<ItemTower>>::New(info.Env(), &shared);
    return Environment::of(info.Env()).classes.item_tower.New({handle});
  });
}

Napi::Value ItemTowerObject::release(const Napi::CallbackInfo& info) {
  tower_.reset();
  return info.Env().Undefined();
}

Napi::Value ItemTowerObject::encode(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "items");
    const auto ids = reader.uint32_span("ids");
    const auto categories = reader.uint32_span("categories");
    auto input = std::make_shared<ItemTowerInput>();
    input->ids = {ids.begin(), ids.end()};
    input->attributes = reader.floats("attributes");
    input->categories = {categories.begin(), categories.end()};
    Environment& environment = Environment::of(info.Env());
    return environment.run<std::vector<float>>(
        info.Env(), reader.flag("aside") ? environment.aside() : environment.anywhere(),
        [tower = held(tower_, "towers"), input] { return tower->forward(*input); },
        [](Napi::Env env, const std::vector<float>& vectors) {
          return to_float32_array(env, vectors);
        });
  });
}

}  // namespace feedrank::binding
