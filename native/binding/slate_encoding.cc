#include "slate_encoding.h"

#include <algorithm>
#include <unordered_map>

#include "arguments.h"
#include "catalog/catalog.h"

namespace feedrank::binding {
namespace {

Napi::Array encode_stages(Napi::Env env, const Trace& trace) {
  auto stages = Napi::Array::New(env, trace.stages.size());
  for (uint32_t i = 0; i < trace.stages.size(); ++i) {
    const StageTrace& line = trace.stages[i];
    auto stage = Napi::Object::New(env);
    stage.Set("name", line.name);
    stage.Set("kind", line.kind);
    stage.Set("ms", line.ms);
    stage.Set("in", line.in);
    stage.Set("out", line.out);
    if (!line.skipped.empty()) stage.Set("skipped", line.skipped);
    stage.Set("shortfalls", to_string_array(env, line.shortfalls));
    stage.Set("notes", to_string_array(env, line.notes));
    stages.Set(i, stage);
  }
  return stages;
}

Napi::Object encode_budget(Napi::Env env, const Request& request) {
  const BudgetTrace& trace = request.trace().budget;
  const Promise promise = request.promise();
  auto budget = Napi::Object::New(env);
  budget.Set("budgetMs", promise.budget_ms);
  budget.Set("percentile", promise.percentile);
  budget.Set("quality", trace.quality);
  budget.Set("waiting", trace.waiting);
  budget.Set("candidates", trace.kept);
  budget.Set("tier", trace.tier);
  budget.Set("ranked", trace.ranked);
  budget.Set("predictedMs", trace.predicted_ms);
  budget.Set("spentMs", request.elapsed_ms());
  return budget;
}

/// Rows of `width` values, picked in the order of `positions`.
Napi::Float64Array picked(Napi::Env env, std::span<const uint32_t> positions,
                          std::span<const double> values, size_t width) {
  auto array = Napi::Float64Array::New(env, positions.size() * width);
  double* out = array.Data();
  for (const uint32_t position : positions) {
    out = std::copy_n(values.begin() + static_cast<ptrdiff_t>(position * width), width, out);
  }
  return array;
}

/// The stages in order, and where each item of the slate stood after them.
Napi::Array encode_positions(Napi::Env env, const Request& request) {
  const std::vector<uint32_t>& order = request.order();
  const auto& stages = request.candidates().history->stages();
  auto encoded = Napi::Array::New(env);
  const auto add = [&](const std::string& name, auto position) {
    auto positions = Napi::Float64Array::New(env, order.size());
    for (size_t i = 0; i < order.size(); ++i) positions[i] = position(i);
    auto stage = Napi::Object::New(env);
    stage.Set("name", name);
    stage.Set("positions", positions);
    encoded.Set(encoded.Length(), stage);
  };
  for (const CandidateHistory::Stage& stage : stages) {
    add(stage.name, [&](size_t i) { return static_cast<double>(stage.positions[order[i]]); });
  }
  add(request.plan().selector.name, [](size_t i) { return static_cast<double>(i); });
  return encoded;
}

Napi::Value encode_explanations(Napi::Env env, const Request& request) {
  const CandidateSet& candidates = request.candidates();
  const CandidateHistory& history = *candidates.history;
  const std::vector<uint32_t>& order = request.order();
  const std::vector<double> sources(history.source_positions().begin(),
                                    history.source_positions().end());
  const std::vector<double> features(candidates.features.begin(), candidates.features.end());
  auto explanations = Napi::Object::New(env);
  explanations.Set("sourcePositions", picked(env, order, sources, candidates.generators));
  explanations.Set("features", picked(env, order, features, candidates.feature_count));
  explanations.Set("readyColumns", to_uint32_array(env, request.ready_columns()));
  explanations.Set("outputs", picked(env, order, history.outputs,
                                     history.outputs.empty() ? 0 : candidates.term_names.size()));
  explanations.Set("penaltyNames", to_string_array(env, request.penalty_names()));
  explanations.Set("penalties",
                   picked(env, order, request.penalties(), request.penalty_names().size()));
  explanations.Set("stages", encode_positions(env, request));
  return explanations;
}

Napi::Value encode_slate(Napi::Env env, const Request& request) {
  const CandidateSet& candidates = request.candidates();
  const std::vector<uint32_t>& order = request.order();
  auto ids = Napi::Array::New(env, order.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    ids.Set(i, from_item_id(env, request.snapshot().id(candidates.rows[order[i]])));
  }
  auto slate = Napi::Object::New(env);
  slate.Set("ids", ids);
  slate.Set("scores", picked(env, order, candidates.scores, 1));
  slate.Set("generators", candidates.generators);
  slate.Set("sourceScores", picked(env, order, candidates.source_scores, candidates.generators));
  slate.Set("termNames", to_string_array(env, candidates.term_names));
  slate.Set("terms", picked(env, order, candidates.terms, candidates.term_names.size()));
  slate.Set("epoch", static_cast<double>(request.snapshot().epoch()));
  slate.Set("queueMs", request.trace().queue_ms);
  slate.Set("nativeMs", request.trace().native_ms);
  slate.Set("unknownIds", request.trace().unknown_ids);
  slate.Set("removedMeanwhile", request.trace().removed_meanwhile);
  slate.Set("stages", encode_stages(env, request.trace()));
  slate.Set("budget", encode_budget(env, request));
  if (candidates.history) slate.Set("explanations", encode_explanations(env, request));
  return slate;
}

/// By column, the candidates' values.
Napi::Array encode_columns(Napi::Env env, const Request& request) {
  const std::vector<Row>& rows = request.candidates().rows;
  const size_t columns = request.snapshot().catalog().schema().columns.size();
  auto encoded = Napi::Array::New(env, columns);
  for (uint32_t c = 0; c < columns; ++c) {
    auto values = Napi::Float64Array::New(env, rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      values[i] = request.snapshot().chunk_of(rows[i]).columns(Snapshot::offset_of(rows[i]))[c];
    }
    encoded.Set(c, values);
  }
  return encoded;
}

/// By label, its distinct texts among the candidates, and each candidate's place among them.
Napi::Array encode_labels(Napi::Env env, const Request& request) {
  const std::vector<Row>& rows = request.candidates().rows;
  const size_t labels = request.snapshot().catalog().schema().labels.size();
  auto encoded = Napi::Array::New(env, labels);
  for (uint32_t l = 0; l < labels; ++l) {
    auto texts = Napi::Array::New(env);
    auto places = Napi::Uint32Array::New(env, rows.size());
    std::unordered_map<uint32_t, uint32_t> place_of{{StringTable::kNone, UINT32_MAX}};
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint32_t code =
          request.snapshot().chunk_of(rows[i]).labels[l][Snapshot::offset_of(rows[i])];
      const auto [place, added] =
          place_of.try_emplace(code, static_cast<uint32_t>(place_of.size() - 1));
      if (added) {
        texts.Set(place->second, request.snapshot().catalog().strings().text(code));
      }
      places[i] = place->second;
    }
    auto label = Napi::Object::New(env);
    label.Set("texts", texts);
    label.Set("places", places);
    encoded.Set(l, label);
  }
  return encoded;
}

Napi::Value encode_batch(Napi::Env env, const Request& request) {
  const CandidateSet& candidates = request.candidates();
  const StringTable& strings = request.snapshot().catalog().strings();
  const size_t n = candidates.size();
  auto ids = Napi::Array::New(env, n);
  auto publish_times = Napi::Float64Array::New(env, n);
  auto authors = Napi::Array::New(env, n);
  auto topics = Napi::Array::New(env, n);
  for (uint32_t i = 0; i < n; ++i) {
    const Napi::HandleScope scope(env);
    const Row row = candidates.rows[i];
    const Chunk& chunk = request.snapshot().chunk_of(row);
    const uint32_t offset = Snapshot::offset_of(row);
    ids.Set(i, from_item_id(env, chunk.id[offset]));
    publish_times[i] = static_cast<double>(chunk.publish_time[offset]);
    const uint32_t author = chunk.author[offset];
    authors.Set(i, author == StringTable::kNone
                       ? env.Undefined()
                       : Napi::Value(Napi::String::New(env, strings.text(author))));
    auto names = Napi::Array::New(env, chunk.topics[offset].size());
    for (uint32_t t = 0; t < chunk.topics[offset].size(); ++t) {
      names.Set(t, Napi::String::New(env, strings.text(chunk.topics[offset][t])));
    }
    topics.Set(i, names);
  }
  auto batch = Napi::Object::New(env);
  batch.Set("size", static_cast<double>(n));
  batch.Set("ids", ids);
  batch.Set("publishTimes", publish_times);
  batch.Set("authors", authors);
  batch.Set("topics", topics);
  batch.Set("columns", encode_columns(env, request));
  batch.Set("labels", encode_labels(env, request));
  batch.Set("sourceScores", to_float64_array(env, candidates.source_scores));
  batch.Set("features", to_float32_array(env, candidates.features));
  batch.Set("scores", to_float64_array(env, candidates.scores));
  return batch;
}

}  // namespace

Napi::Value encode_answer(Napi::Env env, const Request& request, Request::State state) {
  auto answer = Napi::Object::New(env);
  const auto waits = [&](const char* stage) {
    answer.Set("waitsFor", stage);
    answer.Set("index", request.waiting_index());
    // Generators work from the query alone; nothing is copied out for them.
    if (state != Request::State::kGenerators) answer.Set("batch", encode_batch(env, request));
    return answer;
  };
  switch (state) {
    case Request::State::kGenerators:
      return waits("generators");
    case Request::State::kFilter:
      return waits("filter");
    case Request::State::kEnrichers:
      return waits("enrichers");
    case Request::State::kRanker:
      return waits("ranker");
    case Request::State::kSelector:
      return waits("selector");
    case Request::State::kDone:
      answer.Set("slate", encode_slate(env, request));
      return answer;
  }
  return answer;
}

}  // namespace feedrank::binding
