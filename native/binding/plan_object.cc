#include "plan_object.h"

#include <optional>
#include <string>
#include <utility>

#include "arguments.h"
#include "candidate_stage_decoding.h"
#include "environment.h"
#include "error.h"
#include "feature_decoding.h"
#include "model_object.h"
#include "request_decoding.h"
#include "request_object.h"
#include "user_tower_object.h"
#include "wrapped.h"

namespace feedrank::binding {
namespace {

std::vector<uint32_t> read_columns(const ObjectReader& reader, const char* name, const Plan& plan) {
  const auto columns = reader.uint32_span(name);
  for (const uint32_t column : columns) {
    if (column >= plan.feature_count()) {
      throw Error("INVALID_ARGUMENT", "ranker.columns", "ranker.columns: no such feature column");
    }
  }
  return {columns.begin(), columns.end()};
}

void read_model(const ObjectReader& reader, RankerStage& ranker) {
  ranker.kind = RankerStage::Kind::kModel;
  ranker.model = unwrap<ModelObject>(reader.value("model"), "ranker.model").model();
  ranker.terms = ranker.model->heads();
  if (ranker.columns.size() != ranker.model->features()) {
    throw Error("MODEL_SHAPE", "ranker.model",
                "ranker.model: expected " + std::to_string(ranker.model->features()) +
                    " features, got " + std::to_string(ranker.columns.size()));
  }
}

SmallerRanker read_smaller(const ObjectReader& reader, const CatalogSchema& schema,
                           const Engagement& engagement, uint32_t context_values,
                           const Plan& plan) {
  SmallerRanker smaller;
  smaller.features = read_feature_list(reader, schema, engagement.options(), context_values);
  smaller.feature_columns = read_columns(reader, "featureColumns", plan);
  if (smaller.feature_columns.size() != smaller.features.features.size()) {
    throw Error("INVALID_ARGUMENT", "featureColumns", "featureColumns: expected one a feature");
  }
  smaller.stage.name = reader.text("name");
  smaller.stage.columns = read_columns(reader, "columns", plan);
  read_model(reader, smaller.stage);
  return smaller;
}

void read_ranker(const ObjectReader& reader, const CatalogSchema& schema, Plan& plan) {
  RankerStage& ranker = plan.ranker;
  ranker.name = reader.text("name");
  ranker.fail_closed = reader.flag("failClosed");
  const std::string kind = reader.text("kind");
  if (kind == "decayed-dot") {
    ranker.kind = RankerStage::Kind::kDecayedDot;
    ranker.space = schema.space_index(reader.text("space"), "ranker.space");
    ranker.terms = {"dot", "decay"};
    return;
  }
  if (kind != "model" && kind != "weighted-sum") return;
  ranker.columns = read_columns(reader, "columns", plan);
  if (kind == "model") return read_model(reader, ranker);
  ranker.kind = RankerStage::Kind::kWeightedSum;
  ranker.terms = reader.texts("terms");
  ranker.weights = reader.numbers("weights");
  if (ranker.weights.size() != ranker.columns.size() ||
      ranker.terms.size() != ranker.columns.size()) {
    throw Error("INVALID_ARGUMENT", "ranker.weights", "ranker.weights: expected one a feature");
  }
}

SelectorStage read_selector(const ObjectReader& reader, const CatalogSchema& schema) {
  using Kind = SelectorStage::Kind;
  const std::string kind = reader.text("kind");
  SelectorStage selector{reader.text("name"),
                         kind == "top-n" ? Kind::kTopN
                         : kind == "mmr" ? Kind::kMmr
                         : kind == "dpp" ? Kind::kDpp
                                         : Kind::kExternal,
                         std::nullopt};
  if (reader.has("space")) {
    selector.space = schema.space_index(reader.text("space"), "selector.space");
  }
  return selector;
}

}  // namespace

Napi::Function PlanObject::define(Napi::Env env) {
  return DefineClass(
      env, "Plan",
      {InstanceMethod<&PlanObject::rank>("rank"), InstanceMethod<&PlanObject::begin>("begin"),
       InstanceMethod<&PlanObject::repeats>("repeats"),
       InstanceMethod<&PlanObject::shadows>("shadows"),
       InstanceMethod<&PlanObject::go_on_from>("goOnFrom"),
       InstanceMethod<&PlanObject::release>("release")});
}

PlanObject::PlanObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&]() -> Napi::Value {
    engagement_ = unwrap<EngagementObject>(info[0], "engagement").shared();
    const CatalogSchema& schema = engagement_->catalog->catalog->schema();
    const ObjectReader reader(info[1], "plan");
    auto plan = std::make_shared<Plan>();
    context_values_ = reader.count("contextValues");
    plan->generators = read_generators(reader.array("generators"), *engagement_->engagement);
    plan->filters = read_filters(reader.array("filters"), *engagement_->catalog->catalog);
    plan->enricher_name = reader.text("enricherName");
    plan->features =
        read_feature_list(reader, schema, engagement_->engagement->options(), context_values_);
    plan->more_features = reader.count("moreFeatures");
    for_each_object(reader.array("enrichers"), "enrichers", [&](const ObjectReader& item) {
      plan->enrichers.push_back({item.text("name"), item.count("features")});
    });
    if (reader.has("userTower")) {
      plan->reader_encoder =
          read_reader_encoder(reader.object("userTower"), schema, context_values_);
    }
    read_ranker(reader.object("ranker"), schema, *plan);
    for_each_object(
        reader.array("smallerRankers"), "smallerRankers", [&](const ObjectReader& item) {
          plan->smaller.push_back(
              read_smaller(item, schema, *engagement_->engagement, context_values_, *plan));
        });
    plan->selector = read_selector(reader.object("selector"), schema);
    // From here on, so that pools are the same whenever the first request comes.
    if (plan->reads(ReferenceSet::kPool)) engagement_->engagement->want_pool();
    plan_ = std::move(plan);
    retriever_ = make_retriever(reader.text("device"));
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    return info.Env().Undefined();
  });
}

const std::shared_ptr<BudgetController>& PlanObject::controller_of(std::string profile,
                                                                   bool rerank) {
  // Profiles that queries bring along may have any number of names.
  constexpr size_t kMost = 256;
  std::string key = (rerank ? "rerank " : "rank ") + std::move(profile);
  if (controllers_.size() >= kMost && !controllers_.contains(key)) key.clear();
  auto& controller = controllers_[key];
  if (controller == nullptr) controller = std::make_shared<BudgetController>(plan_->tier_count());
  return controller;
}

Query PlanObject::query_of(const Napi::CallbackInfo& info) const {
  held(plan_, "plan");
  return read_query(ObjectReader(info[0], "query"), engagement_->catalog->catalog->schema(),
                    context_values_,
                    count_segment_values(engagement_->engagement->options().segmentations));
}

Settings PlanObject::settings_of(const Napi::CallbackInfo& info) const {
  return read_settings(ObjectReader(info[1], "settings"), *plan_,
                       engagement_->catalog->catalog->schema().labels.size());
}

std::shared_ptr<Request> PlanObject::make_request(const Napi::CallbackInfo& info) {
  Query query = query_of(info);
  const std::string profile = ObjectReader(info[1], "settings").text("profile");
  const auto& controller = controller_of(profile, query.list.has_value());
  auto request = std::make_shared<Request>(engagement_->engagement, plan_, retriever_,
                                           std::move(query), settings_of(info), controller);
  const Executor& executor = Environment::of(info.Env()).executor();
  controller->admit(request->promise(), {executor.queued(), executor.threads()});
  return request;
}

Napi::Value PlanObject::rank(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto request = make_request(info);
    Executor& executor = Environment::of(info.Env()).executor();
    return RequestObject::run_request(info.Env(), request, {}, info[2],
                                      [this, request, &executor](Executor::Job job) {
                                        queue_->submit(executor, request, std::move(job));
                                      });
  });
}

Napi::Value PlanObject::repeats(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::vector<ItemId> ids = to_item_ids(info[2], "ids");
    const auto scores = info[3].As<Napi::Float64Array>();
    Query query = query_of(info);
    Request request(engagement_->engagement, plan_, retriever_, std::move(query),
                    settings_of(info));
    const bool repeats = request.repeats(ids, {scores.Data(), scores.ElementLength()});
    return Napi::Boolean::New(info.Env(), repeats);
  });
}

Napi::Value PlanObject::shadows(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto& smaller = held(plan_, "plan")->smaller;
    auto shadows = Napi::Array::New(info.Env(), smaller.size());
    for (uint32_t i = 0; i < smaller.size(); ++i) {
      const ShadowLog::Report report = smaller[i].log->report();
      auto shadow = Napi::Object::New(info.Env());
      shadow.Set("scored", static_cast<double>(report.scored));
      shadow.Set("skipped", static_cast<double>(report.skipped));
      shadow.Set("failed", static_cast<double>(report.failed));
      shadow.Set("lastFailure", report.last_failure);
      shadow.Set("topOverlap", report.top_overlap);
      shadow.Set("kendallTau", report.kendall_tau);
      shadow.Set("liveP50Ms", report.live_ms.p50);
      shadow.Set("liveP99Ms", report.live_ms.p99);
      shadow.Set("shadowP50Ms", report.shadow_ms.p50);
      shadow.Set("shadowP99Ms", report.shadow_ms.p99);
      shadows.Set(i, shadow);
    }
    return shadows;
  });
}

Napi::Value PlanObject::go_on_from(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const PlanObject& before = unwrap<PlanObject>(info[0], "plan");
    const uint32_t changed = info[1].ToNumber().Uint32Value();
    const uint32_t tiers = held(plan_, "plan")->tier_count();
    if (held(before.plan_, "plan")->tier_count() != tiers || changed >= tiers) {
      throw Error("INVALID_ARGUMENT", "plan", "plan: expected one of as many tiers");
    }
    // With what it keeps on a device.
    retriever_ = before.retriever_;
    for (const auto& [key, controller] : before.controllers_) {
      auto next = std::make_shared<BudgetController>(tiers);
      next->go_on_from(*controller, changed);
      controllers_[key] = std::move(next);
    }
    return info.Env().Undefined();
  });
}

Napi::Value PlanObject::release(const Napi::CallbackInfo& info) {
  plan_.reset();
  retriever_.reset();
  controllers_.clear();
  return info.Env().Undefined();
}

Napi::Value PlanObject::begin(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto request = make_request(info);
    const auto handle = Napi::External<std::shared_ptr<Request>>::New(info.Env(), &request);
    return Environment::of(info.Env()).classes.request.New({handle});
  });
}

}  // namespace feedrank::binding
