#include "slate/request.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "catalog/catalog.h"
#include "error.h"
#include "runtime/parallel.h"
#include "slate/ranker.h"
#include "slate/selector.h"
#include "slate/timed_stage.h"

namespace feedrank {
namespace {

double milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

Request::Request(std::shared_ptr<Engagement> engagement, std::shared_ptr<const Plan> plan,
                 std::shared_ptr<const Retriever> retriever, Query query, Settings settings,
                 std::shared_ptr<BudgetController> controller)
    : engagement_(std::move(engagement)),
      plan_(std::move(plan)),
      retriever_(std::move(retriever)),
      query_(std::move(query)),
      settings_(std::move(settings)),
      controller_(std::move(controller)),
      user_vectors_(query_.user_vectors) {
  if (!query_.list && plan_->reads(ReferenceSet::kList)) {
    throw Error("INVALID_ARGUMENT", "features",
                "features: expected none that is relative to the list, got one; statistics of a "
                "shown list do not carry to a pool of candidates, so only rerank has them");
  }
}

bool Request::over_budget() const { return elapsed_ms() > settings_.budget_ms; }

double Request::elapsed_ms() const { return milliseconds(Clock::now() - created_); }

double Request::lap_ms() {
  const auto now = Clock::now();
  return milliseconds(now - std::exchange(lap_, now));
}

bool Request::may_skip_ranking() const { return !plan_->ranker.fail_closed; }

FeatureAssembler::Inputs Request::feature_inputs() const {
  return {*snapshot_,    *engagement_, query_.now,          query_.context,
          user_vectors_, query_.user,  query_.current_item, query_.segments};
}

Request::State Request::run(ExternalResult result, const std::function<bool()>& cancelled,
                            Executor* helpers) {
  const auto begin = Clock::now();
  helpers_ = helpers;
  // Who gave up while the request was waiting for a thread does not pay for a scan.
  if (cancelled()) throw Error("ABORTED", "signal", "signal: the request was aborted");
  if (!std::exchange(started_, true)) {
    trace_.queue_ms = milliseconds(begin - created_);
    lap_ = begin;
    plan_spending(helpers);
    start(helpers);
  } else {
    answered_ = true;
    std::visit(
        [this](const auto& answer) {
          using Answer = std::decay_t<decltype(answer)>;
          if constexpr (std::is_same_v<Answer, GeneratedItems>) {
            merge(answer);
          } else if constexpr (!std::is_same_v<Answer, std::monostate>) {
            apply(answer);
          }
        },
        result);
  }
  const State state = run_stages(cancelled);
  finished_ = Clock::now();
  trace_.native_ms += milliseconds(finished_ - begin);
  return state;
}

void Request::start(Executor* helpers) {
  if (snapshot_ == nullptr) pin(engagement_->catalog()->pin());
  candidates_.generators = query_.list ? 0 : static_cast<uint32_t>(plan_->generators.size());
  if (query_.explain) candidates_.history.emplace(candidates_.generators);
  if (query_.list) {
    take_list();
    next_ = State::kEnrichers;
    enrich();
    return;
  }
  generate(helpers);
}

void Request::pin(std::shared_ptr<const Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  encode_reader();
}

void Request::encode_reader() {
  if (!plan_->reads_encoded_reader(query_.list.has_value())) return;
  const ReaderEncoder& encoder = *plan_->reader_encoder;
  for (const UserVectors& given : user_vectors_) {
    if (given.space == encoder.space) return;
  }
  // However late the request is: it takes microseconds, and generators wait for it.
  Timed timed(*this, encoder.name, "encoder");
  try {
    user_vectors_.push_back(feedrank::encode_reader(encoder, feature_inputs()));
  } catch (const Error& error) {
    encoder_failure_ = error.code() + ": " + error.what();
    timed.skip(encoder_failure_);
  }
}

Request::State Request::run_stages(const std::function<bool()>& cancelled) {
  for (;;) {
    if (cancelled()) throw Error("ABORTED", "signal", "signal: the request was aborted");
    const bool answered = std::exchange(answered_, false);
    switch (next_) {
      case State::kGenerators: {
        const bool external = std::any_of(
            plan_->generators.begin(), plan_->generators.end(),
            [](const GeneratorStage& g) { return g.kind == GeneratorStage::Kind::kExternal; });
        if (external && !answered) return State::kGenerators;
        if (!answered) merge({});
        next_ = State::kFilter;
        break;
      }
      case State::kFilter:
        if (answered) ++cursor_;
        if (cursor_ == plan_->filters.size()) {
          next_ = State::kEnrichers;
          enrich();
        } else if (plan_->filters[cursor_].kind == FilterStage::Kind::kExternal) {
          return State::kFilter;
        } else {
          filter(plan_->filters[cursor_]);
          ++cursor_;
        }
        break;
      case State::kEnrichers:
        if (!plan_->enrichers.empty() && !answered) return State::kEnrichers;
        if (controller_) features_ms_ = lap_ms();
        next_ = State::kRanker;
        break;
      case State::kRanker:
        if (ranking_stage().kind == RankerStage::Kind::kExternal) {
          if (!answered) return State::kRanker;
        } else {
          rank();
        }
        if (controller_) took_ranking();
        next_ = State::kSelector;
        if (candidates_.history) {
          candidates_.history->ordered(plan_->ranker.name, order_by_score(*snapshot_, candidates_));
        }
        break;
      case State::kSelector:
        if (plan_->selector.kind == SelectorStage::Kind::kExternal && !query_.list) {
          if (!answered) return State::kSelector;
        } else {
          select();
        }
        drop_removed();
        if (controller_) controller_->took_selection(candidates_.size(), lap_ms());
        if (!query_.ahead) watch_slate();
        next_ = State::kDone;
        return State::kDone;
      case State::kDone:
        return State::kDone;
    }
  }
}

void Request::enrich() {
  if (controller_) {
    if (!query_.list) controller_->took_narrowing(merged_, lap_ms());
    choose_tier();
  }
  candidates_.feature_count = plan_->feature_count();
  candidates_.features.assign(candidates_.size() * candidates_.feature_count, 0.0F);
  if (plan_->features.features.empty() && tier_ == 0U) {
    features_ready_ = true;
    return;
  }
  Timed timed(*this, plan_->enricher_name, "enricher");
  const bool computes = tier_ && *tier_ <= plan_->smaller.size();
  if (!computes || (may_skip_ranking() && over_budget())) {
    timed.skip(Timed::kOverBudget);
    return;
  }
  if (*tier_ == 0) {
    fill_features(plan_->features, candidates_.features.data(), candidates_.feature_count);
    ready_columns_.resize(plan_->features.features.size());
    std::iota(ready_columns_.begin(), ready_columns_.end(), 0U);
  } else {
    fill_smaller(plan_->smaller[*tier_ - 1]);
  }
  features_ready_ = true;
}

void Request::fill_features(const FeatureList& list, float* out, size_t stride) const {
  const FeatureAssembler::Inputs inputs = feature_inputs();
  const std::span<const Row> rows = candidates_.rows;
  // Fewer are not worth waking a thread for, and what is relative to the list needs all of it.
  constexpr size_t kLeast = 512;
  Executor* const sharing = plan_->reads(ReferenceSet::kList) ? nullptr : helpers_;
  split_in_parallel(sharing, rows.size(), kLeast, [&](size_t begin, size_t count) {
    FeatureAssembler::fill(list, inputs, rows.subspan(begin, count), out + begin * stride, stride);
  });
}

void Request::fill_smaller(const SmallerRanker& smaller) {
  const size_t width = smaller.features.features.size();
  std::vector<float> values(candidates_.size() * width);
  fill_features(smaller.features, values.data(), width);
  for (size_t i = 0; i < candidates_.size(); ++i) {
    float* row = candidates_.features.data() + i * candidates_.feature_count;
    for (size_t f = 0; f < width; ++f) row[smaller.feature_columns[f]] = values[i * width + f];
  }
  ready_columns_ = smaller.feature_columns;
}

void Request::rank() {
  const RankerStage& stage = ranking_stage();
  Timed timed(*this, plan_->ranker.name, "ranker");
  const bool reads_features = stage.kind != RankerStage::Kind::kDecayedDot;
  if (!tier_ || (may_skip_ranking() && (over_budget() || (reads_features && !features_ready_)))) {
    timed.skip(Timed::kOverBudget);
    tier_.reset();
    tell_tier(timed);
    rank_by_merged_order(candidates_);
    return;
  }
  tell_tier(timed);
  const bool smaller = *tier_ >= 1 && *tier_ <= plan_->smaller.size();
  try {
    rank_candidates(stage, settings_, smaller ? settings_.smaller_weights : settings_.head_weights,
                    feature_inputs(), candidates_, helpers_);
    ranked_ = true;
  } catch (const Error& error) {
    if (plan_->ranker.fail_closed) throw;
    timed.skip(error.code() + ": " + error.what());
    rank_by_merged_order(candidates_);
  }
}

void Request::select() {
  Timed timed(*this, plan_->selector.name, "selector");
  take_best(timed);
  timed.produced(order_.size());
}

void Request::take_best(Timed& timed) {
  order_ = order_by_score(*snapshot_, candidates_);
  // Before the selection, so that removed items take up no place in the slate.
  drop_removed();
  // A given list is ordered, not thinned out.
  if (query_.list) {
    if (order_.size() > query_.limit) order_.resize(query_.limit);
    return;
  }
  selection_ = select_slate(plan_->selector, settings_, query_.limit, *snapshot_, candidates_,
                            std::move(order_), [this] { return over_budget(); });
  order_ = std::move(selection_.order);
  for (std::string& note : selection_.notes) timed.note(std::move(note));
  for (std::string& shortfall : selection_.shortfalls) timed.fall_short(std::move(shortfall));
}

void Request::drop_removed() {
  std::vector<Slot> slots;
  slots.reserve(order_.size());
  for (size_t i = 0; i < order_.size(); ++i) {
    constexpr size_t kAhead = 16;
    if (i + kAhead < order_.size()) snapshot_->prefetch_slot(candidates_.rows[order_[i + kAhead]]);
    slots.push_back(snapshot_->slot(candidates_.rows[order_[i]]));
  }
  const std::vector<uint8_t> alive = engagement_->catalog()->alive(slots);
  size_t out = 0;
  for (size_t i = 0; i < order_.size(); ++i) {
    if (alive[i] != 0) order_[out++] = order_[i];
  }
  trace_.removed_meanwhile += static_cast<uint32_t>(order_.size() - out);
  order_.resize(out);
}

void Request::watch_slate() {
  const size_t label_count = snapshot_->catalog().schema().labels.size();
  std::vector<uint32_t> labels;
  std::vector<double> scores;
  // What stands in for a ranker's scores would be compared with scores of another scale.
  const bool ranked = ranked_ && tier_ == 0U;
  for (const uint32_t position : order_) {
    const Chunk& chunk = snapshot_->chunk_of(candidates_.rows[position]);
    const uint32_t offset = Snapshot::offset_of(candidates_.rows[position]);
    for (size_t l = 0; l < label_count; ++l) labels.push_back(chunk.labels[l][offset]);
    if (ranked) scores.push_back(candidates_.scores[position]);
  }
  // Nothing in an answer depends on this clock: it only tells a slate of now from one far ahead.
  const auto clock = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  engagement_->slices().record_slate(query_.segments, labels, scores, order_.size(), query_.now,
                                     clock.count());
}

}  // namespace feedrank
