#pragma once

#include <functional>
#include <memory>

#include "environment.h"
#include "node_api.h"
#include "slate/request.h"

namespace feedrank::binding {

/// A request that stops at external stages. Holds the state of the catalog until `end`.
class RequestObject : public Napi::ObjectWrap<RequestObject> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit RequestObject(const Napi::CallbackInfo& info);

  /// A promise of the request's next answer. `flag` is undefined, or an Int32Array whose first
  /// element turns 1 when the caller gives up.
  static Napi::Value run_request(Napi::Env env, const std::shared_ptr<Request>& request,
                                 ExternalResult result, const Napi::Value& flag,
                                 const Environment::Submit& submit);

 private:
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value end(const Napi::CallbackInfo& info);

  std::shared_ptr<Request> request_;
};

}  // namespace feedrank::binding
