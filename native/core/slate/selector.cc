#include "slate/selector.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "catalog/catalog.h"
#include "slate/dpp_objective.h"
#include "slate/exposure_steering.h"
#include "slate/greedy_selection.h"
#include "slate/mmr_objective.h"
#include "slate/remembered_similarity.h"
#include "slate/topic_similarity.h"
#include "slate/vector_similarity.h"

namespace feedrank {
namespace {

using Kind = SelectorStage::Kind;

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

/// One selection: what several runs over the same candidates share.
class Selection {
 public:
  Selection(const SelectorStage& stage, const Settings& settings, uint32_t limit,
            const SelectionPool& pool, const std::function<bool()>& out_of_time)
      : stage_(stage), settings_(settings), limit_(limit), pool_(pool), out_of_time_(out_of_time) {
    if (stage.kind != Kind::kMmr && stage.kind != Kind::kDpp) return;
    // With no weight on diversity, both objectives are the score.
    if (settings.diversity <= 0 || pool.size() == 0) return;
    if (!stage.space) {
      similarity_ = std::make_unique<TopicSimilarity>(pool);
    } else {
      similarity_ = std::make_unique<VectorSimilarity>(pool, *stage.space,
                                                       stage.kind == Kind::kMmr
                                                           ? VectorSimilarity::Kernel::kCosine
                                                           : VectorSimilarity::Kernel::kGaussian);
    }
    // With exposure targets there may be a second run, which takes many of the first one's items.
    if (!settings.exposure.empty()) {
      similarity_ = std::make_unique<RememberedSimilarity>(std::move(similarity_));
    }
  }

  GreedySlate run(ExposureSteering* steering) const {
    std::optional<MmrObjective> mmr;
    std::optional<DppObjective> dpp;
    Objective* objective = nullptr;
    if (similarity_ != nullptr && stage_.kind == Kind::kMmr) {
      objective = &mmr.emplace(pool_, *similarity_, settings_.diversity);
    } else if (similarity_ != nullptr) {
      objective = &dpp.emplace(pool_, *similarity_, settings_.diversity);
    }
    return select_greedily(pool_, limit_, settings_.limits, objective, steering, out_of_time_);
  }

  bool diversifies() const { return similarity_ != nullptr; }

 private:
  const SelectorStage& stage_;
  const Settings& settings_;
  uint32_t limit_;
  const SelectionPool& pool_;
  const std::function<bool()>& out_of_time_;
  std::unique_ptr<const Similarity> similarity_;
};

double discounted_relevance(const SelectionPool& pool, const GreedySlate& slate) {
  const std::vector<double> exposures = position_exposures(slate.items.size());
  double sum = 0;
  for (size_t p = 0; p < slate.items.size(); ++p) {
    sum += exposures[p] * pool.relevance(slate.items[p]);
  }
  return sum;
}

/// Says what share each group got: as a note, or as a shortfall where it is not what was wanted.
void report_shares(const ExposureSteering& steering, const Settings& settings,
                   const Snapshot& snapshot, const GreedySlate& slate, SelectionResult& result) {
  for (size_t t = 0; t < settings.exposure.size(); ++t) {
    const ExposureTarget& target = settings.exposure[t];
    const double share = steering.share(t, slate.items);
    std::string line = "exposure of " + snapshot.catalog().schema().labels[target.label] + "=" +
                       target.value + ": wanted " + rounded(target.share) + " ± " +
                       rounded(target.tolerance) + ", achieved " + rounded(share);
    constexpr double kRounding = 1e-9;
    const double missed = share - target.share;
    if (missed > target.tolerance + kRounding || -missed > target.tolerance + kRounding) {
      if (!steering.has_members(t)) line += " (no candidate is of this group)";
      result.shortfalls.push_back(std::move(line));
    } else {
      result.notes.push_back(std::move(line));
    }
  }
}

}  // namespace

std::vector<uint32_t> order_by_score(const Snapshot& snapshot, const CandidateSet& candidates) {
  return order_by_score(snapshot, candidates.rows, candidates.scores);
}

std::vector<uint32_t> order_by_score(const Snapshot& snapshot, std::span<const Row> rows,
                                     std::span<const double> scores) {
  // Scores are sorted with their positions beside them, so that comparing reads what lies together.
  struct Scored {
    double score;
    uint32_t position;
  };
  std::vector<Scored> scored(rows.size());
  for (uint32_t i = 0; i < scored.size(); ++i) scored[i] = {scores[i], i};
  std::sort(scored.begin(), scored.end(), [&](const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score > b.score
                              : snapshot.before_on_tie(rows[a.position], rows[b.position]);
  });
  std::vector<uint32_t> order(scored.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = scored[i].position;
  return order;
}

SelectionResult select_slate(const SelectorStage& stage, const Settings& settings, uint32_t limit,
                             const Snapshot& snapshot, const CandidateSet& candidates,
                             std::vector<uint32_t> order,
                             const std::function<bool()>& out_of_time) {
  SelectionResult result;
  const SelectionPool pool(snapshot, candidates, std::move(order));
  const Selection selection(stage, settings, limit, pool, out_of_time);
  GreedySlate slate = selection.run(nullptr);

  std::optional<ExposureSteering> steering;
  bool steered = false;
  if (!settings.exposure.empty()) {
    steering.emplace(pool, settings.exposure, slate.items.size());
    const double violation = steering->violation(slate.items);
    if (violation > 0 && out_of_time()) {
      slate.out_of_time = true;
    } else if (violation > 0) {
      // Only where the selector's own slate is unfair is another made, so that a target which is
      // met anyway costs no score.
      GreedySlate fair = selection.run(&*steering);
      if (steering->violation(fair.items) < violation) {
        const double before = discounted_relevance(pool, slate);
        const double after = discounted_relevance(pool, fair);
        slate = std::move(fair);
        steered = true;
        result.notes.push_back("exposure cost " + rounded(before > 0 ? 1 - after / before : 0) +
                               " of the discounted relevance");
      }
    }
    report_shares(*steering, settings, snapshot, slate, result);
  }

  if (selection.diversifies()) result.penalty_names.emplace_back("diversity");
  if (steered) result.penalty_names.emplace_back("exposure");
  const size_t width = result.penalty_names.size();
  result.penalties.assign(candidates.size() * width, 0.0);
  for (size_t p = 0; p < slate.items.size(); ++p) {
    const uint32_t item = slate.items[p];
    const uint32_t position = pool.position(item);
    result.order.push_back(position);
    if (selection.diversifies()) result.penalties[position * width] = slate.diversity[p];
    if (steered) result.penalties[(position + 1) * width - 1] = steering->bonus(item);
  }
  const std::string positions = " of " + std::to_string(slate.items.size()) + " positions";
  if (slate.unspaced > 0) {
    result.notes.push_back("spacing relaxed at " + std::to_string(slate.unspaced) + positions +
                           ", where it left nothing to take");
  }
  if (slate.by_score > 0) {
    result.notes.push_back("filled by score at " + std::to_string(slate.by_score) + positions +
                           ", where nothing left was unlike what was taken");
  }
  if (slate.out_of_time) result.shortfalls.emplace_back("budget");
  return result;
}

}  // namespace feedrank
