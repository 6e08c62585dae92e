#include "slate/generators.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "catalog/catalog.h"

namespace feedrank {
namespace {

/// Keeps the k best of a stream by buffering 2k and cutting back: linear, and without a heap's
/// branch misses. `before` is a strict order, best first.
template <typename Before>
class TopK {
 public:
  TopK(uint32_t k, Before before) : k_(k), before_(std::move(before)) {
    kept_.reserve(2 * size_t{k} + 1);
  }

  void offer(Row row, double score) {
    const Retrieved item{row, score};
    if (full_ && !before_(item, worst_)) return;
    kept_.push_back(item);
    if (kept_.size() >= 2 * size_t{k_} + 1) cut();
  }

  /// What an item must at least score; 0 while anything may come in.
  double worst_score() const { return full_ ? worst_.score : 0.0; }

  std::vector<Retrieved> finish() {
    std::sort(kept_.begin(), kept_.end(), before_);
    if (kept_.size() > k_) kept_.resize(k_);
    return std::move(kept_);
  }

 private:
  void cut() {
    std::nth_element(kept_.begin(), kept_.begin() + (k_ - 1), kept_.end(), before_);
    kept_.resize(k_);
    worst_ = kept_[k_ - 1];
    full_ = true;
  }

  uint32_t k_;
  Before before_;
  bool full_ = false;
  Retrieved worst_;
  std::vector<Retrieved> kept_;
};

auto by_score(const Snapshot& snapshot) {
  return [&snapshot](const Retrieved& a, const Retrieved& b) {
    return a.score != b.score ? a.score > b.score : snapshot.before_on_tie(a.row, b.row);
  };
}

}  // namespace

std::vector<Retrieved> decayed_dot_items(const Snapshot& snapshot, const Retriever& retriever,
                                         uint32_t space, std::span<const UserVectors> users,
                                         int64_t now, double tau_ms, NegativeDots negatives,
                                         uint32_t k) {
  std::vector<RetrievalQuery> queries;
  for (const UserVectors& user : users) {
    if (user.space != space) continue;
    for (uint32_t u = 0; u < user.count(); ++u) {
      queries.push_back(
          {std::span(user.values).subspan(size_t{u} * user.dimensions, user.dimensions), now,
           tau_ms, k, negatives});
    }
  }
  if (queries.empty()) return {};
  std::vector<std::vector<Retrieved>> found = retriever.retrieve(snapshot, space, queries);
  if (found.size() == 1) return std::move(found.front());
  std::unordered_map<Row, double> best;
  for (const auto& items : found) {
    for (const Retrieved& item : items) {
      const auto [entry, added] = best.emplace(item.row, item.score);
      if (!added) entry->second = std::max(entry->second, item.score);
    }
  }
  std::vector<Retrieved> merged;
  merged.reserve(best.size());
  for (const auto& [row, score] : best) merged.push_back({row, score});
  std::sort(merged.begin(), merged.end(), by_score(snapshot));
  if (merged.size() > k) merged.resize(k);
  return merged;
}

std::vector<Retrieved> trending_items(const Snapshot& snapshot, const CounterStore& counters,
                                      Lane lane, uint32_t half_life, int64_t now, uint32_t k) {
  const CounterStore::Scan scan(counters, true);
  // For one half-life the order of decayed sums does not depend on now, so one common landmark
  // saves a power of two per item.
  const DecayGrid& grid = counters.half_lives()[half_life];
  const int64_t reference = grid.landmark_of(now);
  const double decay = grid.decay(now, reference);
  TopK best(k, by_score(snapshot));
  double worst = 0;
  double least = -std::numeric_limits<double>::infinity();
  snapshot.for_each_visible([&](Row row) {
    const Slot slot = snapshot.slot(row);
    const bool waits = scan.waits(slot);
    if (!waits && !scan.may_reach(slot, lane, half_life, least)) return;
    const double value = waits ? scan.read(slot, now, lane).at(0, half_life) / decay
                               : scan.comparable(slot, lane, half_life, reference);
    if (value <= 0 || value < worst) return;
    best.offer(row, value);
    if (best.worst_score() > worst) {
      worst = best.worst_score();
      least = CounterStore::Scan::least_magnitude(worst, reference);
    }
  });
  std::vector<Retrieved> items = best.finish();
  for (Retrieved& item : items) {
    item.score = scan.read(snapshot.slot(item.row), now, lane).at(0, half_life);
  }
  return items;
}

std::vector<Retrieved> fresh_items(const Snapshot& snapshot, int64_t now, uint32_t k) {
  // Ages are compared as they count, so publish times in the future tie at age 0 and the order of
  // ties puts the newer first all the same.
  TopK newest(k, [&snapshot](const Retrieved& a, const Retrieved& b) {
    return snapshot.before_on_tie(a.row, b.row);
  });
  snapshot.for_each_visible([&](Row row) { newest.offer(row, 0); });
  std::vector<Retrieved> items = newest.finish();
  for (Retrieved& item : items) {
    const int64_t age = std::max<int64_t>(0, now - snapshot.publish_time(item.row));
    item.score = -static_cast<double>(age) / 3'600'000.0;
  }
  return items;
}

}  // namespace feedrank
