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

/// The k newest of the items that `wanted(chunk, offset)` holds for.
template <typename Wanted>
std::vector<Retrieved> newest_items(const Snapshot& snapshot, int64_t now, uint32_t k,
                                    Wanted&& wanted) {
  // Chunks with the newest items first, so that the others can be passed over.
  std::vector<std::pair<int64_t, uint32_t>> chunks;
  for (uint32_t c = 0; c < snapshot.chunk_count(); ++c) {
    chunks.emplace_back(snapshot.chunk(c).newest(), c);
  }
  std::sort(chunks.begin(), chunks.end(), std::greater<>());
  // Publish times in the future tie at age 0, and the order of ties puts the newer first all the
  // same.
  TopK newest(k, by_publish_time(snapshot));
  int64_t oldest = std::numeric_limits<int64_t>::min();  // that may still come in
  for (const auto& [bound, c] : chunks) {
    if (bound < oldest) break;
    const Chunk& chunk = snapshot.chunk(c);
    const uint32_t first = c * Chunk::kRows;
    const uint32_t count = std::min(Chunk::kRows, snapshot.row_count() - first);
    for (uint32_t g = 0; g < count; g += Chunk::kGroupRows) {
      if (chunk.newest_near(g) < oldest) continue;
      const uint32_t end = std::min(count, g + Chunk::kGroupRows);
      for (uint32_t i = g; i < end; ++i) {
        if (!chunk.visible(i, snapshot.epoch()) || chunk.publish_time[i] < oldest) continue;
        if (!wanted(chunk, i)) continue;
        newest.offer(first + i, 0);
        if (newest.worst() != nullptr) oldest = snapshot.publish_time(newest.worst()->row);
      }
    }
  }
  std::vector<Retrieved> items = newest.finish();
  for (Retrieved& item : items) item.score = -age_in_hours(snapshot, item.row, now);
  return items;
}

/// The best of what was found for each of a reader's vectors.
std::vector<Retrieved> best_of_all(const Snapshot& snapshot,
                                   std::span<std::vector<Retrieved>> found, uint32_t k) {
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

}  // namespace

std::vector<std::vector<Retrieved>> decayed_dot_items(const Snapshot& snapshot,
                                                      const Retriever& retriever, uint32_t space,
                                                      std::span<const DecayedDotNeed> needs,
                                                      Executor* helpers) {
  std::vector<RetrievalQuery> queries;
  std::vector<size_t> ends;  // of each need's queries
  for (const DecayedDotNeed& need : needs) {
    for (const UserVectors& user : need.users) {
      if (user.space != space) continue;
      for (uint32_t u = 0; u < user.count(); ++u) {
        queries.push_back(
            {std::span(user.values).subspan(size_t{u} * user.dimensions, user.dimensions), need.now,
             need.tau_ms, need.k, need.negatives, need.effort});
      }
    }
    ends.push_back(queries.size());
  }
  std::vector<std::vector<Retrieved>> found;
  if (!queries.empty()) found = retriever.retrieve(snapshot, space, queries, helpers);
  std::vector<std::vector<Retrieved>> items;
  size_t begin = 0;
  for (size_t n = 0; n < needs.size(); ++n) {
    const auto own = std::span(found).subspan(begin, ends[n] - begin);
    items.push_back(best_of_all(snapshot, own, needs[n].k));
    begin = ends[n];
  }
  return items;
}

std::vector<Retrieved> decayed_dot_items(const Snapshot& snapshot, const Retriever& retriever,
                                         uint32_t space, std::span<const UserVectors> users,
                                         int64_t now, double tau_ms, NegativeDots negatives,
                                         uint32_t k, Executor* helpers) {
  const DecayedDotNeed need{users, now, tau_ms, negatives, k};
  return std::move(
      decayed_dot_items(snapshot, retriever, space, std::span(&need, 1), helpers).front());
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
  std::vector<Slot> slots;
  std::vector<double> values;
  const auto offer_all = [&] {
    const std::vector<Row> rows = snapshot.catalog().resolve_slots(snapshot, slots);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] != kNoRow) best.offer(rows[i], values[i]);
    }
    slots.clear();
    values.clear();
    if (best.worst_score() > worst) {
      worst = best.worst_score();
      least = CounterStore::Scan::least_magnitude(worst, reference);
    }
  };
  const std::span<const Slot> waiting = scan.waiting();
  for (const Slot slot : waiting) {
    const double value = scan.read(slot, now, lane).at(0, half_life) / decay;
    if (value <= 0) continue;
    slots.push_back(slot);
    values.push_back(value);
  }
  // Where the largest are comes first, so that most of the others can be passed over.
  std::vector<CounterStore::Scan::Group> groups = scan.groups(lane, half_life);
  std::partial_sort(
      groups.begin(), groups.begin() + static_cast<ptrdiff_t>(std::min<size_t>(k, groups.size())),
      groups.end(), [](const auto& a, const auto& b) { return a.magnitude > b.magnitude; });
  constexpr size_t kTurn = 512;
  for (const auto& group : groups) {
    if (group.magnitude < least) continue;
    scan.for_each_counted(group, lane, half_life, reference, [&](Slot slot, double value) {
      if (value < worst || std::binary_search(waiting.begin(), waiting.end(), slot)) return;
      slots.push_back(slot);
      values.push_back(value);
    });
    if (slots.size() >= kTurn) offer_all();
  }
  offer_all();
  std::vector<Retrieved> items = best.finish();
  for (Retrieved& item : items) {
    item.score = scan.read(snapshot.slot(item.row), now, lane).at(0, half_life);
  }
  return items;
}

std::vector<Retrieved> fresh_items(const Snapshot& snapshot, int64_t now, uint32_t k) {
  return newest_items(snapshot, now, k, [](const Chunk&, uint32_t) { return true; });
}

std::vector<Retrieved> followed_items(const Snapshot& snapshot, const AuthorsAndTopics& follows,
                                      int64_t now, uint32_t k) {
  const StringTable& strings = snapshot.catalog().strings();
  const CodeSet authors = CodeSet::of_names(strings, follows.authors);
  const CodeSet topics = CodeSet::of_names(strings, follows.topics);
  if (authors.empty() && topics.empty()) return {};
  return newest_items(snapshot, now, k, [&](const Chunk& chunk, uint32_t offset) {
    return authors.contains(chunk.author[offset]) ||
           (!topics.empty() && topics.contains_any(chunk.topics[offset]));
  });
}

}  // namespace feedrank
