#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>

#include "catalog/catalog.h"
#include "error.h"
#include "runtime/parallel.h"
#include "slate/co_read_items.h"
#include "slate/filters.h"
#include "slate/generators.h"
#include "slate/merge.h"
#include "slate/request.h"
#include "slate/timed_stage.h"

// How a request comes by its candidates: generators, their merging, and filters.

namespace feedrank {
namespace {

/// Below this many rows waking another thread costs more than it saves.
constexpr uint32_t kRowsWorthSharing = 2'000;

std::string failure(const std::string& stage, const std::exception& error) {
  const std::string why = error.what();
  // LibTorch puts a stack below its message.
  return "stage '" + stage + "' failed: " + why.substr(0, why.find('\n'));
}

/// What a trace says of candidates that need not be the best.
std::string approximate_note(double effort) {
  std::ostringstream text;
  text << "approximate retrieval, effort " << effort;
  return text.str();
}

}  // namespace

void Request::take_list() {
  Timed timed(*this, "list", "generator");
  std::vector<Row> rows = engagement_->catalog()->resolve(*snapshot_, *query_.list);
  for (const Row row : rows) {
    if (row == kNoRow) {
      ++trace_.unknown_ids;
    } else {
      candidates_.append(row);
    }
  }
  note_positions("list");
}

Request::Generated Request::generated(uint32_t generator, Executor* helpers) const {
  const GeneratorStage& stage = plan_->generators[generator];
  const uint32_t quota = std::min(settings_.quotas[generator], snapshot_->row_count());
  switch (stage.kind) {
    case GeneratorStage::Kind::kDecayedDot: {
      if (!knows_reader_in(stage.space)) {
        const bool expected = plan_->reader_encoder && plan_->reader_encoder->space == stage.space;
        if (expected) throw std::runtime_error(encoder_failure_);
        return {{}, "no user vector"};
      }
      if (quota == 0) return {};
      if (found_together_.contains(generator)) return {found_together_.at(generator).items, ""};
      const DecayedDotNeed need{user_vectors_,       query_.now, settings_.tau_ms,
                                settings_.negatives, quota,      settings_.effort};
      return {std::move(decayed_dot_items(*snapshot_, *retriever_, stage.space, std::span(&need, 1),
                                          helpers)
                            .front()),
              ""};
    }
    case GeneratorStage::Kind::kTrending: {
      if (!stage.segment) {
        if (quota == 0) return {};
        return {trending_items(*snapshot_, engagement_->store_of(stage.counter),
                               lane_of(stage.counter), stage.half_life, query_.now, quota),
                ""};
      }
      const uint8_t value = query_.segments[*stage.segment];
      if (value == kNoSegment) return {{}, "no segment value"};
      if (quota == 0) return {};
      const Lane lane = stage.counter == Counter::kImpressions ? segment_impressions(value)
                                                               : segment_clicks(value);
      return {trending_items(*snapshot_, *engagement_->segments(), lane, stage.half_life,
                             query_.now, quota),
              ""};
    }
    case GeneratorStage::Kind::kFresh:
      if (quota == 0) return {};
      return {fresh_items(*snapshot_, query_.now, quota), ""};
    case GeneratorStage::Kind::kFollowed:
      if (query_.follows.authors.empty() && query_.follows.topics.empty()) {
        return {{}, "nothing followed"};
      }
      if (quota == 0) return {};
      return {followed_items(*snapshot_, query_.follows, query_.now, quota), ""};
    case GeneratorStage::Kind::kCoRead: {
      if (quota == 0) return {};
      std::optional<std::vector<Retrieved>> items =
          co_read_items(*snapshot_, *engagement_, query_, quota);
      if (!items) return {{}, "nothing read"};
      return {std::move(*items), ""};
    }
    case GeneratorStage::Kind::kExternal:
      return {};
  }
  return {};
}

std::optional<DecayedDotNeed> Request::need_of(uint32_t generator) const {
  const GeneratorStage& stage = plan_->generators[generator];
  const uint32_t quota = std::min(settings_.quotas[generator], snapshot_->row_count());
  const bool scans = stage.kind == GeneratorStage::Kind::kDecayedDot && !query_.list && quota > 0 &&
                     knows_reader_in(stage.space);
  if (!scans) return std::nullopt;
  return DecayedDotNeed{user_vectors_,       query_.now, settings_.tau_ms,
                        settings_.negatives, quota,      settings_.effort};
}

void Request::take_found(uint32_t generator, std::vector<Retrieved> items, double ms) {
  found_together_[generator] = {std::move(items), ms};
}

void Request::generate(Executor* helpers) {
  const size_t count = plan_->generators.size();
  generated_.resize(count);
  std::vector<uint32_t> native;
  for (uint32_t g = 0; g < count; ++g) {
    if (plan_->generators[g].kind != GeneratorStage::Kind::kExternal) native.push_back(g);
  }
  std::vector<StageTrace> lines(native.size());
  std::atomic<bool> found{false};
  Executor* const sharing = snapshot_->row_count() >= kRowsWorthSharing ? helpers : nullptr;
  const auto run_one = [&](uint32_t number) {
    const uint32_t generator = native[number];
    const GeneratorStage& stage = plan_->generators[generator];
    StageTrace& line = lines[number];
    line.name = stage.name;
    line.kind = "generator";
    const auto begin = Clock::now();
    if (found.load(std::memory_order_relaxed) && !stage.fail_closed && over_budget()) {
      line.skipped = Timed::kOverBudget;
    } else {
      try {
        Generated answer = generated(generator, sharing);
        line.skipped = std::move(answer.skipped);
        if (!answer.items.empty()) found.store(true, std::memory_order_relaxed);
        const bool scans = stage.kind == GeneratorStage::Kind::kDecayedDot;
        if (scans && settings_.effort && line.skipped.empty()) {
          line.notes.push_back(approximate_note(*settings_.effort));
        }
        generated_[generator] = std::move(answer.items);
      } catch (const Error&) {
        // What the caller got wrong is no failure of the stage.
        throw;
      } catch (const std::exception& error) {
        line.skipped = failure(stage.name, error);
        if (stage.fail_closed) throw Error("STAGE_FAILED", stage.name, line.skipped);
      }
    }
    line.ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    if (found_together_.contains(generator)) line.ms = found_together_.at(generator).ms;
    line.out = static_cast<uint32_t>(generated_[generator].size());
  };
  run_in_parallel(sharing, static_cast<uint32_t>(native.size()), run_one);
  for (size_t n = 0; n < native.size(); ++n) {
    const bool scanned = plan_->generators[native[n]].kind == GeneratorStage::Kind::kDecayedDot;
    if (scanned && !found_together_.contains(native[n])) scan_ms_ += lines[n].ms;
    trace_.stages.push_back(std::move(lines[n]));
  }
}

void Request::merge(const GeneratedItems& external) {
  for (const GeneratedItems::Source& source : external.sources) {
    Timed timed(*this, plan_->generators[source.generator].name, "generator");
    timed.took(source.ms);
    if (!source.skipped.empty()) timed.skip(source.skipped);
    const std::vector<Row> rows = engagement_->catalog()->resolve(*snapshot_, source.ids);
    auto& items = generated_[source.generator];
    std::unordered_set<Row> given;
    for (size_t i = 0; i < rows.size() && items.size() < settings_.quotas[source.generator]; ++i) {
      if (rows[i] == kNoRow) {
        ++trace_.unknown_ids;
      } else if (given.insert(rows[i]).second) {
        // Of an id that comes twice, the better place counts.
        items.push_back({rows[i], source.scores[i]});
      }
    }
    timed.produced(items.size());
  }
  if (controller_) {
    if (scan_ms_ > 0) controller_->took_scan(1, scan_ms_);
    controller_->took_generation(std::max(0.0, lap_ms() - scan_ms_));
  }
  Timed timed(*this, "merge", "merge");
  const uint32_t most = candidates_to_keep();
  trace_.budget.kept = most;
  merge_by_turns(generated_, settings_.quotas, most, candidates_);
  merged_ = candidates_.size();
  bool cut = false;
  const uint32_t generators = candidates_.generators;
  std::vector<size_t> kept(generators, 0);
  for (size_t i = 0; i < candidates_.source_scores.size(); ++i) {
    if (!std::isnan(candidates_.source_scores[i])) ++kept[i % generators];
  }
  for (uint32_t g = 0; g < generators; ++g) {
    const size_t found = generated_[g].size();
    if (kept[g] == found) continue;
    cut = true;
    timed.note(plan_->generators[g].name + ": kept " + std::to_string(kept[g]) + " of " +
               std::to_string(found));
  }
  if (cut && most < settings_.max_candidates) timed.fall_short("budget: fewer candidates");
  generated_.clear();
  note_positions("merge");
}

void Request::note_positions(const std::string& stage) {
  if (candidates_.history) candidates_.history->stand(stage, candidates_.size());
}

std::vector<uint8_t> Request::kept_by(const FilterStage& stage) const {
  const std::vector<Row>& rows = candidates_.rows;
  switch (stage.kind) {
    case FilterStage::Kind::kSeen:
      return keep_unseen(*snapshot_, *engagement_, query_, settings_, rows);
    case FilterStage::Kind::kMaximumAge:
      return keep_young(*snapshot_, query_.now, settings_.max_age_ms, rows);
    case FilterStage::Kind::kBlocked:
      return keep_others(*snapshot_, query_.blocked, rows);
    case FilterStage::Kind::kMuted:
      return keep_others(*snapshot_, query_.muted, rows);
    case FilterStage::Kind::kEligible: {
      std::vector<uint8_t> keep =
          keep_healthy(*snapshot_, *engagement_, query_.now, settings_.complaints, rows);
      const std::vector<uint8_t> marked = meet_all(*snapshot_, stage.conditions, rows);
      for (size_t i = 0; i < keep.size(); ++i) keep[i] &= marked[i];
      return keep;
    }
    case FilterStage::Kind::kWhere:
      return meet_all(*snapshot_, stage.conditions, rows);
    case FilterStage::Kind::kExternal:
      break;
  }
  return std::vector<uint8_t>(rows.size(), 1);
}

void Request::filter(const FilterStage& stage) {
  // However late the request is: the costliest takes microseconds, and what it drops must not come
  // back because a model was slow.
  Timed timed(*this, stage.name, "filter");
  try {
    candidates_.keep_only(kept_by(stage));
  } catch (const Error&) {
    // What the caller got wrong is no failure of the stage.
    throw;
  } catch (const std::exception& error) {
    const std::string why = failure(stage.name, error);
    if (stage.fail_closed) throw Error("STAGE_FAILED", stage.name, why);
    timed.skip(why);
  }
  note_positions(stage.name);
}

}  // namespace feedrank
