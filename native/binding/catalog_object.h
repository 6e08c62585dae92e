#pragma once

#include <memory>

#include "catalog/catalog.h"
#include "catalog/write_queue.h"
#include "node_api.h"
#include "runtime/executor.h"

namespace feedrank::binding {

/// A catalog of the process together with the order of its writes.
struct SharedCatalog {
  SharedCatalog(CatalogSchema schema, std::shared_ptr<Executor> runs_on)
      : executor(std::move(runs_on)),
        catalog(std::make_shared<Catalog>(std::move(schema))),
        writes(std::make_shared<WriteQueue>(*executor, catalog)) {}

  /// Held by JavaScript objects alone, so it ends on a JavaScript thread: no thread of the executor
  /// comes to join itself.
  const std::shared_ptr<Executor> executor;

  const std::shared_ptr<Catalog> catalog;
  const std::shared_ptr<WriteQueue> writes;
};

/// `new Catalog(schema)`, or `new Catalog(number)` to attach to one of another thread.
class CatalogObject : public Napi::ObjectWrap<CatalogObject> {
 public:
  static constexpr napi_type_tag kTypeTag{0x6665656472616e6bULL, 0x636174616c6f6701ULL};
  static constexpr const char* kDescription = "a catalog";

  static Napi::Function define(Napi::Env env);

  explicit CatalogObject(const Napi::CallbackInfo& info);

  const std::shared_ptr<SharedCatalog>& shared() const { return shared_; }

 private:
  Napi::Value upsert(const Napi::CallbackInfo& info);
  Napi::Value remove(const Napi::CallbackInfo& info);
  Napi::Value has(const Napi::CallbackInfo& info);
  Napi::Value retrieve(const Napi::CallbackInfo& info);
  Napi::Value recall(const Napi::CallbackInfo& info);
  Napi::Value tidy_some(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value share(const Napi::CallbackInfo& info);
  Napi::Value schema(const Napi::CallbackInfo& info);

  std::shared_ptr<SharedCatalog> shared_;
};

}  // namespace feedrank::binding
