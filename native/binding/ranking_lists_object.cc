#include "ranking_lists_object.h"

#include "arguments.h"
#include "error.h"
#include "js_error.h"

namespace feedrank::binding {

Napi::Function RankingListsObject::define(Napi::Env env) {
  return DefineClass(env, "RankingLists", {InstanceMethod<&RankingListsObject::append>("append")});
}

RankingListsObject::RankingListsObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&]() -> Napi::Value {
    const uint32_t features = info[0].ToNumber().Uint32Value();
    if (features == 0) {
      throw Error("INVALID_ARGUMENT", "features", "features: expected at least one");
    }
    lists_ = std::make_shared<RankingLists>(features);
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    return info.Env().Undefined();
  });
}

std::shared_ptr<const RankingLists> RankingListsObject::seal() {
  sealed_ = true;
  return lists_;
}

Napi::Value RankingListsObject::append(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (sealed_) throw Error("INVALID_ARGUMENT", "lists", "lists: a trainer reads them already");
    const ObjectReader reader(info[0], "lists");
    lists_->append({reader.float_span("rows"), reader.uint32_span("lengths"),
                    reader.byte_span("clicked"), reader.float_span("dwellSeconds"),
                    reader.byte_span("groups")});
    return info.Env().Undefined();
  });
}

}  // namespace feedrank::binding
