#pragma once

#include <memory>

#include "catalog_object.h"
#include "features/engagement.h"
#include "node_api.h"

namespace feedrank::binding {

/// Counters and user state of one catalog, with the catalog's order of writes.
struct SharedEngagement {
  std::shared_ptr<SharedCatalog> catalog;
  std::shared_ptr<Engagement> engagement;
};

/// `new Engagement(catalog, options)`, or `new Engagement(number, catalog)` to attach to another
/// thread's.
class EngagementObject : public Napi::ObjectWrap<EngagementObject> {
 public:
  static constexpr napi_type_tag kTypeTag{0x6665656472616e6bULL, 0x656e676167656d01ULL};
  static constexpr const char* kDescription = "counters and user state";

  static Napi::Function define(Napi::Env env);

  explicit EngagementObject(const Napi::CallbackInfo& info);

  const std::shared_ptr<SharedEngagement>& shared() const { return shared_; }

 private:
  Napi::Value record(const Napi::CallbackInfo& info);
  Napi::Value forget(const Napi::CallbackInfo& info);
  Napi::Value features(const Napi::CallbackInfo& info);
  /// `reads({ userId, currentItem, now, most })`: what a user tower would see, at once.
  Napi::Value reads(const Napi::CallbackInfo& info);
  Napi::Value slices(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value share(const Napi::CallbackInfo& info);
  Napi::Value shape(const Napi::CallbackInfo& info);

  std::shared_ptr<SharedEngagement> shared_;
};

}  // namespace feedrank::binding
