#ifndef FEEDRANK_TEST_NATIVE_REQUEST_SUPPORT_H_
#define FEEDRANK_TEST_NATIVE_REQUEST_SUPPORT_H_

// A small world to send requests through: a catalog, its counters, a plan that tests change.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "brute_force.h"
#include "slate/request.h"
#include "support.h"

namespace feedrank::testing {

inline constexpr int64_t kHourMs = 3'600'000;
inline constexpr int64_t kNowMs = 1'700'000'000'000;

struct World {
  std::shared_ptr<Catalog> catalog = integer_catalog();
  std::shared_ptr<Engagement> engagement =
      std::make_shared<Engagement>(catalog, engagement_options({kHourMs}));
  std::shared_ptr<const Retriever> retriever = std::make_shared<BruteForceRetriever>();
  Plan plan;
  Query query;
  Settings settings;

  /// No generators and no filters yet; scores are the item's `quality` column.
  World() {
    plan.enricher_name = "features";
    plan.features.features = {{FeatureSource::kColumn, {}, {}, 0, 0}};
    plan.ranker.name = "quality";
    plan.ranker.kind = RankerStage::Kind::kWeightedSum;
    plan.ranker.columns = {0};
    plan.ranker.weights = {1};
    plan.ranker.terms = {"quality"};
    plan.selector.name = "selector";
    query.now = kNowMs;
    settings.tau_ms = 10.0 * kHourMs;
  }

  void add_generator(const std::string& name, GeneratorStage::Kind kind, uint32_t quota = 1000) {
    plan.generators.push_back({name, kind, 0, Counter::kClicks, 0});
    settings.quotas.push_back(quota);
  }
  void add_filter(const std::string& name, FilterStage::Kind kind) {
    plan.filters.push_back({name, kind});
  }

  /// Items 1 … n, an hour older each; quality falls with the id.
  void add_items(int64_t n) {
    std::vector<TestItem> items;
    for (int64_t id = 1; id <= n; ++id) {
      const double quality = static_cast<double>(-id);
      items.push_back({id, kNowMs - id * kHourMs, "", {}, {{1, 0}}, {quality}});
    }
    upsert(*catalog, items);
  }

  void happened(EventType type, const UserId& user, int64_t item) {
    const Event happened = event(type, user, item, kNowMs, 1000);
    engagement->record({&happened, 1}, kNowMs);
  }

  std::unique_ptr<Request> request() const {
    return std::make_unique<Request>(engagement, std::make_shared<const Plan>(plan), retriever,
                                     query, settings);
  }

  /// Runs a request that has no external stages.
  std::unique_ptr<Request> done() const;
};

inline Request::State run(Request& request, ExternalResult result = {}) {
  return request.run(std::move(result), [] { return false; });
}

inline std::unique_ptr<Request> World::done() const {
  auto made = request();
  if (run(*made) != Request::State::kDone) throw std::logic_error("the request is not done");
  return made;
}

inline int64_t id_of(const Request& request, size_t candidate) {
  return std::get<int64_t>(request.snapshot().id(request.candidates().rows[candidate]));
}

inline std::string candidates_of(const Request& request) {
  std::vector<int64_t> ids;
  for (size_t i = 0; i < request.candidates().size(); ++i) ids.push_back(id_of(request, i));
  return text(ids);
}

inline std::string slate_of(const Request& request) {
  std::vector<int64_t> ids;
  for (const uint32_t position : request.order()) ids.push_back(id_of(request, position));
  return text(ids);
}

/// Candidates with their scores, slate, and what each stage did, times apart.
inline std::string answer_of(const Request& request) {
  std::string answer = candidates_of(request) + " | " + slate_of(request);
  for (const StageTrace& stage : request.trace().stages) {
    answer += " | " + stage.name + " " + std::to_string(stage.out) + stage.skipped;
  }
  for (const double score : request.candidates().source_scores) {
    answer += " " + std::to_string(score);
  }
  return answer;
}

/// The trace's line for a stage; an empty one where the stage left none.
inline StageTrace stage_of(const Request& request, const std::string& name) {
  for (const StageTrace& stage : request.trace().stages) {
    if (stage.name == name) return stage;
  }
  return {};
}

inline GeneratedItems generated(std::vector<std::vector<int64_t>> lists) {
  GeneratedItems items;
  for (uint32_t g = 0; g < lists.size(); ++g) {
    GeneratedItems::Source source{g, {}, {}, "", 1};
    for (const int64_t id : lists[g]) {
      source.ids.emplace_back(id);
      source.scores.push_back(100.0 * (g + 1) + static_cast<double>(id));
    }
    items.sources.push_back(std::move(source));
  }
  return items;
}

}  // namespace feedrank::testing

#endif  // FEEDRANK_TEST_NATIVE_REQUEST_SUPPORT_H_
