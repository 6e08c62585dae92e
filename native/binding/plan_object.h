#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "engagement_object.h"
#include "node_api.h"
#include "retrieval/retriever.h"
#include "slate/plan.h"
#include "slate/rank_queue.h"
#include "slate/request.h"

namespace feedrank::binding {

/// `new Plan(engagement, spec)`: a compiled feed.
class PlanObject : public Napi::ObjectWrap<PlanObject> {
 public:
  static constexpr napi_type_tag kTypeTag{0x6665656472616e6bULL, 0x706c616e00000001ULL};
  static constexpr const char* kDescription = "a plan";

  static Napi::Function define(Napi::Env env);

  explicit PlanObject(const Napi::CallbackInfo& info);

 private:
  /// `rank(query, settings, cancelFlag)`: a promise of the slate; for plans that are all native.
  Napi::Value rank(const Napi::CallbackInfo& info);
  /// `begin(query, settings)`: a request, to be run from one external stage to the next.
  Napi::Value begin(const Napi::CallbackInfo& info);

  /// `repeats(query, settings, ids, scores)`: at once, whether an earlier answer may be given
  /// again.
  Napi::Value repeats(const Napi::CallbackInfo& info);
  /// `shadows()`: per smaller ranker, what it came to where a profile had it look on.
  Napi::Value shadows(const Napi::CallbackInfo& info);
  /// `goOnFrom(plan, changedTier)`: takes on what requests of the plan that this one replaces have
  /// taught. Both have as many tiers.
  Napi::Value go_on_from(const Napi::CallbackInfo& info);
  /// `release()`: lets go of models at once, or when the last request that runs has ended. Nothing
  /// can be asked of the plan any more.
  Napi::Value release(const Napi::CallbackInfo& info);

  Query query_of(const Napi::CallbackInfo& info) const;
  Settings settings_of(const Napi::CallbackInfo& info) const;
  /// Throws OVERLOADED where the queue alone would make it late.
  std::shared_ptr<Request> make_request(const Napi::CallbackInfo& info);
  const std::shared_ptr<BudgetController>& controller_of(std::string profile, bool rerank);

  std::shared_ptr<SharedEngagement> engagement_;
  std::shared_ptr<const Plan> plan_;
  std::shared_ptr<const Retriever> retriever_;
  uint32_t context_values_ = 0;
  const std::shared_ptr<RankQueue> queue_ = std::make_shared<RankQueue>();
  std::unordered_map<std::string, std::shared_ptr<BudgetController>> controllers_;
};

}  // namespace feedrank::binding
