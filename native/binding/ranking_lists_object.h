#pragma once

#include <memory>

#include "node_api.h"
#include "training/ranking_lists.h"

namespace feedrank::binding {

/// Lists to learn from: `new RankingLists(features)`. Once a trainer reads them, none can be added.
class RankingListsObject : public Napi::ObjectWrap<RankingListsObject> {
 public:
  static constexpr napi_type_tag kTypeTag{0x6665656472616e6bULL, 0x6c69737473000001ULL};
  static constexpr const char* kDescription = "ranking lists";

  static Napi::Function define(Napi::Env env);

  explicit RankingListsObject(const Napi::CallbackInfo& info);

  /// For a trainer.
  std::shared_ptr<const RankingLists> seal();

 private:
  Napi::Value append(const Napi::CallbackInfo& info);

  std::shared_ptr<RankingLists> lists_;
  bool sealed_ = false;
};

}  // namespace feedrank::binding
