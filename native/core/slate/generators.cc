#include "slate/generators.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <unordered_map>
#include <utility>

#include "catalog/catalog.h"
#include "slate/code_set.h"
#include "slate/top_k.h"

namespace feedrank {
namespace {

double age_in_hours(const Snapshot& snapshot, Row row, int64_t now) {
  return static_cast<double>(std::max<int64_t>(0, now - snapshot.publish_time(row))) / 3'600'000.0;
}

}  // namespace

std::vector<Retrieved> decayed_dot_items(const Snapshot& snapshot, const Retriever& retriever,
                                         uint32_t space, std::span<const UserVectors> users,
                                         int64_t now, double tau_ms, NegativeDots negatives,
                                         uint32_t k, Executor* helpers) {
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
  std::vector<std::vector<Retrieved>> found = retriever.retrieve(snapshot, space, queries, helpers);
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
  TopK newest(k, by_publish_time(snapshot));
  snapshot.for_each_visible([&](Row row) { newest.offer(row, 0); });
  std::vector<Retrieved> items = newest.finish();
  for (Retrieved& item : items) item.score = -age_in_hours(snapshot, item.row, now);
  return items;
}

std::vector<Retrieved> followed_items(const Snapshot& snapshot, const AuthorsAndTopics& follows,
                                      int64_t now, uint32_t k) {
  const StringTable& strings = snapshot.catalog().strings();
  const CodeSet authors = CodeSet::of_names(strings, follows.authors);
  const CodeSet topics = CodeSet::of_names(strings, follows.topics);
  if (authors.empty() && topics.empty()) return {};
  // Chunks with the newest items first, so that the others can be passed over.
  std::vector<std::pair<int64_t, uint32_t>> chunks;
  for (uint32_t c = 0; c < snapshot.chunk_count(); ++c) {
    chunks.emplace_back(snapshot.chunk(c).newest(), c);
  }
  std::sort(chunks.begin(), chunks.end(), std::greater<>());
  TopK newest(k, by_publish_time(snapshot));
  int64_t oldest = std::numeric_limits<int64_t>::min();  // that may still come in
  for (const auto& [bound, c] : chunks) {
    if (bound < oldest) break;
    const Chunk& chunk = snapshot.chunk(c);
    const uint32_t first = c * Chunk::kRows;
    const uint32_t count = std::min(Chunk::kRows, snapshot.row_count() - first);
    for (uint32_t i = 0; i < count; ++i) {
      if (!chunk.visible(i, snapshot.epoch()) || chunk.publish_time[i] < oldest) continue;
      if (!authors.contains(chunk.author[i]) &&
          (topics.empty() || !topics.contains_any(chunk.topics[i]))) {
        continue;
      }
      newest.offer(first + i, 0);
      if (newest.worst() != nullptr) oldest = snapshot.publish_time(newest.worst()->row);
    }
  }
  std::vector<Retrieved> items = newest.finish();
  for (Retrieved& item : items) item.score = -age_in_hours(snapshot, item.row, now);
  return items;
}

}  // namespace feedrank
