#pragma once

#include <memory>

#include "node_api.h"
#include "ranking/item_tower.h"

namespace feedrank::binding {

/// A loaded item tower. Made by `loadItemTower`, never by JavaScript's `new`.
class ItemTowerObject : public Napi::ObjectWrap<ItemTowerObject> {
 public:
  static constexpr napi_type_tag kTypeTag{0x6665656472616e6bULL, 0x6974656d74777201ULL};
  static constexpr const char* kDescription = "an item tower";

  static Napi::Function define(Napi::Env env);

  explicit ItemTowerObject(const Napi::CallbackInfo& info);

  /// `loadItemTower({ bytes, dimensions, attributes, categories, idBuckets, categoryBuckets })`: a
  /// promise of a tower.
  static Napi::Value load(const Napi::CallbackInfo& info);

  /// `towerBuckets(ids, buckets)`: the bucket of each, an id or a name.
  static Napi::Value buckets(const Napi::CallbackInfo& info);

 private:
  /// `encode({ ids, attributes, categories })`: a promise of vectors end to end.
  Napi::Value encode(const Napi::CallbackInfo& info);

  /// `share()`: another handle on the same tower.
  Napi::Value share(const Napi::CallbackInfo& info);
  /// `release()`: lets go of it at once, not when JavaScript's collector comes by.
  Napi::Value release(const Napi::CallbackInfo& info);

  std::shared_ptr<ItemTower> tower_;
};

}  // namespace feedrank::binding
