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
  const auto columns = reader.uint32_span("columns");
  ranker.columns = {columns.begin(), columns.end()};
  for (const uint32_t column : ranker.columns) {
    if (column >= plan.feature_count()) {
      throw Error("INVALID_ARGUMENT", "ranker.columns", "ranker.columns: no such feature column");
    }
  }
  if (kind == "model") {
    ranker.kind = RankerStage::Kind::kModel;
    ranker.model = unwrap<ModelObject>(reader.value("model"), "ranker.model").model();
    ranker.terms = ranker.model->heads();
    if (ranker.columns.size() != ranker.model->features()) {
      throw Error("MODEL_SHAPE", "ranker.model",
                  "ranker.model: expected " + std::to_string(ranker.model->features()) +
                      " features, got " + std::to_string(ranker.columns.size()));
    }
    return;
  }
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
      {InstanceMethod<&PlanObject::rank>("rank"), InstanceMethod<&PlanObject::begin>("begin")});
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
    for_each_object(reader.array("enrichers"), "enrichers", [&](const ObjectReader& item) {
      plan->enrichers.push_back({item.text("name"), item.count("features")});
    });
    if (reader.has("userTower")) {
      plan->reader_encoder =
          read_reader_encoder(reader.object("userTower"), schema, context_values_);
    }
    read_ranker(reader.object("ranker"), schema, *plan);
    plan->selector = read_selector(reader.object("selector"), schema);
    // From here on, so that pools are the same whenever the first request comes.
    if (plan->features.reads(ReferenceSet::kPool)) engagement_->engagement->want_pool();
    plan_ = std::move(plan);
    retriever_ = make_exact_retriever(reader.text("device"));
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    return info.Env().Undefined();
  });
}

std::shared_ptr<Request> PlanObject::make_request(const Napi::CallbackInfo& info) const {
  const CatalogSchema& schema = engagement_->catalog->catalog->schema();
  return std::make_shared<Request>(
      engagement_->engagement, plan_, retriever_,
      read_query(ObjectReader(info[0], "query"), schema, context_values_,
                 count_segment_values(engagement_->engagement->options().segmentations)),
      read_settings(ObjectReader(info[1], "settings"), *plan_, schema.labels.size()));
}

Napi::Value PlanObject::rank(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return RequestObject::run_request(info.Env(), make_request(info), {}, info[2]);
  });
}

Napi::Value PlanObject::begin(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto request = make_request(info);
    const auto handle = Napi::External<std::shared_ptr<Request>>::New(info.Env(), &request);
    return Environment::of(info.Env()).classes.request.New({handle});
  });
}

}  // namespace feedrank::binding
