#include "catalog_object.h"
#include "engagement_object.h"
#include "environment.h"
#include "item_tower_object.h"
#include "model_object.h"
#include "plan_object.h"
#include "ranker_trainer_object.h"
#include "ranking/model_backend.h"
#include "ranking/precision.h"
#include "ranking_lists_object.h"
#include "request_object.h"
#include "retrieval/scan_kernels.h"
#include "runtime/process_defaults.h"
#include "two_tower_trainer_object.h"
#include "user_tower_object.h"

namespace feedrank::binding {
namespace {

Napi::Value configure(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Environment::configure(info[0].ToNumber().Uint32Value(), info[1].ToNumber().Uint32Value());
    return info.Env().Undefined();
  });
}

Napi::Value runtime(const Napi::CallbackInfo& info) {
  const Environment::Status status = Environment::status();
  auto object = Napi::Object::New(info.Env());
  object.Set("threads", status.threads);
  object.Set("queueLimit", status.queue_limit);
  object.Set("queued", static_cast<double>(status.queued));
  return object;
}

Napi::Value set_defaults(const Napi::CallbackInfo& info) {
  set_process_defaults(info[0].ToNumber().DoubleValue(), info[1].ToNumber().DoubleValue());
  return info.Env().Undefined();
}

Napi::Value defaults(const Napi::CallbackInfo& info) {
  const ProcessDefaults found = process_defaults();
  auto object = Napi::Object::New(info.Env());
  object.Set("budgetMs", found.budget_ms);
  object.Set("budgetPercentile", found.budget_percentile);
  object.Set("version", found.version);
  return object;
}

Napi::Value defaults_version(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), process_defaults_version());
}

/// What scans and rankers run by on this processor.
Napi::Value processor(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto kernels = Napi::Array::New(info.Env());
    for (const ScanKernel& kernel : scan_kernels()) {
      kernels.Set(kernels.Length(), std::string(kernel.name));
    }
    bool bfloat16 = true;
    try {
      check_precision(Precision::kBfloat16);
    } catch (const Error&) {
      bfloat16 = false;
    }
    auto object = Napi::Object::New(info.Env());
    object.Set("kernels", kernels);
    object.Set("kernel", std::string(chosen_scan_kernel().name));
    object.Set("bfloat16", bfloat16);
    return object;
  });
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env);
  env.SetInstanceData(environment);
  const Napi::Function model = ModelObject::define(env);
  const Napi::Function request = RequestObject::define(env);
  environment->classes.model = Napi::Persistent(model);
  environment->classes.request = Napi::Persistent(request);
  environment->classes.ranker_trainer = Napi::Persistent(RankerTrainerObject::define(env));
  environment->classes.user_tower = Napi::Persistent(UserTowerObject::define(env));
  environment->classes.item_tower = Napi::Persistent(ItemTowerObject::define(env));
  exports.Set("Catalog", CatalogObject::define(env));
  exports.Set("Engagement", EngagementObject::define(env));
  exports.Set("Plan", PlanObject::define(env));
  exports.Set("loadModel", Napi::Function::New<ModelObject::load>(env));
  exports.Set("operatorsAmong", Napi::Function::New<ModelObject::operators_among>(env));
  exports.Set("TwoTowerTrainer", TwoTowerTrainerObject::define(env));
  exports.Set("loadUserTower", Napi::Function::New<UserTowerObject::load>(env));
  exports.Set("loadItemTower", Napi::Function::New<ItemTowerObject::load>(env));
  exports.Set("towerBuckets", Napi::Function::New<ItemTowerObject::buckets>(env));
  exports.Set("saveScriptedNetwork", Napi::Function::New<ModelObject::save_network>(env));
  exports.Set("RankingLists", RankingListsObject::define(env));
  exports.Set("createRankerTrainer", Napi::Function::New<RankerTrainerObject::create>(env));
  exports.Set("exportRanker", Napi::Function::New<RankerTrainerObject::export_bytes>(env));
  exports.Set("configure", Napi::Function::New<configure>(env));
  exports.Set("runtime", Napi::Function::New<runtime>(env));
  exports.Set("defaults", Napi::Function::New<defaults>(env));
  exports.Set("setDefaults", Napi::Function::New<set_defaults>(env));
  exports.Set("defaultsVersion", Napi::Function::New<defaults_version>(env));
  exports.Set("processor", Napi::Function::New<processor>(env));
  exports.Set("version", FEEDRANK_VERSION);
  exports.Set("libtorchVersion", libtorch_version());
  return exports;
}

}  // namespace
}  // namespace feedrank::binding

// The macro declares a function of this name in the global namespace.
static Napi::Object initialise_feedrank(Napi::Env env, Napi::Object exports) {
  return feedrank::binding::initialise(env, exports);
}

NODE_API_MODULE(feedrank_native, initialise_feedrank)
