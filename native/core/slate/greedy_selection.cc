#include "slate/greedy_selection.h"

#include <limits>
#include <numeric>

namespace feedrank {
namespace {

constexpr double kLowest = -std::numeric_limits<double>::infinity();
/// How often exposure is planned anew where what was planned cannot be had.
constexpr int kMostPlans = 8;

/// The remaining items in order, a linked list: taking the first is cheap however many there are.
class Remaining {
 public:
  explicit Remaining(size_t size) : next_(size + 1) {
    std::iota(next_.begin(), next_.end(), size_t{1});
    next_[size] = 0;
  }

  size_t end() const { return next_.size(); }
  /// Links are numbered from 1, so that 0 stands before the first.
  size_t first() const { return after(0); }
  size_t after(size_t link) const { return next_[link] == 0 ? end() : next_[link]; }
  void drop_after(size_t link) { next_[link] = next_[next_[link]]; }

 private:
  std::vector<size_t> next_;
};

}  // namespace

GreedySlate select_greedily(const SelectionPool& pool, size_t limit, const SlateLimits& limits,
                            Objective* objective, ExposureSteering* steering,
                            const std::function<bool()>& out_of_time) {
  GreedySlate slate;
  SlateRules rules(pool, limits);
  Remaining remaining(pool.size());
  const bool capped = limits.capped();
  const bool spaced = limits.spaced();
  int plans_left = kMostPlans;
  if (steering != nullptr) steering->plan(slate.items, rules);

  while (slate.items.size() < limit) {
    const size_t position = slate.items.size();
    if (objective != nullptr && out_of_time()) {
      objective = nullptr;
      slate.out_of_time = true;
    }
    size_t best = remaining.end();
    size_t before_best = 0;
    double best_value = kLowest;
    int best_flaws = 4;
    for (size_t before = 0, link = remaining.first(); link != remaining.end();) {
      const size_t item = link - 1;
      const auto skip = [&] {
        before = link;
        link = remaining.after(link);
      };
      // While an item without a flaw leads, only one of more value matters, whatever the rules say.
      double value = kLowest;
      if (objective != nullptr && best_flaws == 0) {
        value = objective->value(item, best_value);
        if (value <= best_value) {
          skip();
          continue;
        }
      }
      if (capped && !rules.within_caps(item)) {
        remaining.drop_after(before);
        link = remaining.after(before);
        continue;
      }
      const int flaws = (steering != nullptr && !steering->fits(item, position) ? 2 : 0) +
                        (spaced && !rules.spaced(item, position) ? 1 : 0);
      if (objective != nullptr && best_flaws > 0 && flaws <= best_flaws) {
        value = objective->value(item, flaws < best_flaws ? kLowest : best_value);
      }
      if (flaws < best_flaws || (flaws == best_flaws && value > best_value)) {
        best = item;
        before_best = before;
        best_value = value;
        best_flaws = flaws;
        if (objective == nullptr && flaws == 0) break;
      }
      skip();
    }
    if (best == remaining.end()) break;
    if (best_flaws >= 2 && plans_left > 0) {
      // What is left of the groups has changed; perhaps the shares can be had in another way.
      --plans_left;
      steering->plan(slate.items, rules);
      continue;
    }
    remaining.drop_after(before_best);
    if (best_flaws % 2 == 1) ++slate.unspaced;
    if (objective != nullptr && best_value == kLowest) ++slate.by_score;
    slate.items.push_back(static_cast<uint32_t>(best));
    slate.diversity.push_back(objective == nullptr ? 0 : objective->diversity(best));
    rules.take(best, position);
    if (objective != nullptr && slate.items.size() < limit) objective->take(best);
  }
  return slate;
}

}  // namespace feedrank
