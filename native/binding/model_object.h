#pragma once

#include <memory>

#include "node_api.h"
#include "ranking/model.h"

namespace feedrank::binding {

/// A loaded ranking model. Made by `loadModel`, never by JavaScript's `new`.
class ModelObject : public Napi::ObjectWrap<ModelObject> {
 public:
  static constexpr napi_type_tag kTypeTag{0x6665656472616e6bULL, 0x6d6f64656c000001ULL};
  static constexpr const char* kDescription = "a model";

  static Napi::Function define(Napi::Env env);

  explicit ModelObject(const Napi::CallbackInfo& info);

  /// Throws DISPOSED.
  const std::shared_ptr<Model>& model() const;

  /// `loadModel({ bytes, name, features, heads, precision, compiled, device })`: a promise of a
  /// model.
  static Napi::Value load(const Napi::CallbackInfo& info);

  /// `operatorsAmong({ names })`: those of the names that LibTorch has as operators.
  static Napi::Value operators_among(const Napi::CallbackInfo& info);

  /// `saveScriptedNetwork({ mean, scale, layers }, path)`: a promise of nothing.
  static Napi::Value save_network(const Napi::CallbackInfo& info);

 private:
  Napi::Value score(const Napi::CallbackInfo& info);
  Napi::Value heads(const Napi::CallbackInfo& info);

  /// `share()`: another handle on the same model.
  Napi::Value share(const Napi::CallbackInfo& info);
  /// `release()`: lets go of it at once, not when JavaScript's collector comes by.
  Napi::Value release(const Napi::CallbackInfo& info);

  std::shared_ptr<Model> model_;
};

}  // namespace feedrank::binding
