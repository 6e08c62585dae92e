#include <algorithm>

#include "slate/ranker.h"
#include "slate/request.h"
#include "slate/timed_stage.h"

// What a request does with the answers of stages that are not native.

namespace feedrank {

void Request::apply(const KeptCandidates& kept) {
  Timed timed(*this, plan_->filters[cursor_].name, "filter");
  timed.took(kept.ms);
  if (kept.skipped.empty()) {
    candidates_.keep_only(kept.keep);
  } else {
    timed.skip(kept.skipped);
  }
  note_positions(plan_->filters[cursor_].name);
}

void Request::apply(const EnrichedFeatures& enriched) {
  size_t column = plan_->first_external_column();
  for (size_t e = 0; e < enriched.sources.size(); ++e) {
    const EnrichedFeatures::Source& source = enriched.sources[e];
    const uint32_t width = plan_->enrichers[e].features;
    Timed timed(*this, plan_->enrichers[e].name, "enricher");
    timed.took(source.ms);
    if (!source.skipped.empty()) {
      timed.skip(source.skipped);
    } else {
      for (size_t i = 0; i < candidates_.size(); ++i) {
        std::copy_n(source.values.begin() + static_cast<ptrdiff_t>(i * width), width,
                    candidates_.features.begin() +
                        static_cast<ptrdiff_t>(i * candidates_.feature_count + column));
      }
    }
    column += width;
  }
}

void Request::apply(const RankedScores& ranked) {
  Timed timed(*this, plan_->ranker.name, "ranker");
  timed.took(ranked.ms);
  tell_tier(timed);
  if (!ranked.skipped.empty()) {
    timed.skip(ranked.skipped);
    rank_by_merged_order(candidates_);
    return;
  }
  ranked_ = true;
  candidates_.scores = ranked.scores;
  candidates_.term_names = ranked.term_names;
  candidates_.terms = ranked.terms;
}

void Request::apply(const SelectedOrder& selected) {
  Timed timed(*this, plan_->selector.name, "selector");
  timed.took(selected.ms);
  if (selected.skipped.empty()) {
    order_ = selected.positions;
  } else {
    timed.skip(selected.skipped);
    take_best(timed);
  }
  if (order_.size() > query_.limit) order_.resize(query_.limit);
  timed.produced(order_.size());
}

}  // namespace feedrank
