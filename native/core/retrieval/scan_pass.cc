#include "retrieval/scan_pass.h"

#include <algorithm>
#include <utility>

#include "catalog/snapshot.h"

namespace feedrank {
namespace {

/// Units that a thread takes at a time.
constexpr uint32_t kUnitsTaken = 4;

}  // namespace

ScanPass::ScanPass(const Snapshot& seen, uint32_t of_space, const ScanKernel& by,
                   const std::vector<ScanQuery>& asked, uint32_t most_threads,
                   const ScanList& to_scan)
    : snapshot(seen),
      space(of_space),
      kernel(by),
      queries(asked),
      threads(most_threads),
      list(to_scan) {
  for (const ScanQuery& query : queries) {
    const uint32_t k = query.given().k;
    thresholds.emplace_back(threads);
    collectors.emplace_back(threads, ScoreCollector(k, (k + threads - 1) / threads));
  }
}

std::vector<BoundedScore> ScanPass::take_found(uint32_t query) {
  std::vector<BoundedScore> found = std::move(collectors[query][0].kept());
  for (uint32_t t = 1; t < threads; ++t) {
    const auto& more = collectors[query][t].kept();
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

ScanWorker::ScanWorker(ScanPass& pass, uint32_t thread)
    : pass_(pass), thread_(thread), asked_(pass.queries.size()) {
  for (Asked& asked : asked_) {
    asked.lane.positions = asked.positions.data();
    asked.lane.dots = asked.dots.data();
  }
}

void ScanWorker::scan() {
  const auto& steps = pass_.list.steps;
  const auto count = static_cast<uint32_t>(steps.size());
  while (ended_ < asked_.size()) {
    const uint32_t begin = pass_.next.fetch_add(kUnitsTaken, std::memory_order_relaxed);
    if (begin >= count) return;
    for (uint32_t s = begin; s < std::min(count, begin + kUnitsTaken); ++s) scan(steps[s]);
  }
}

void ScanWorker::scan_tail() {
  const ScanView& view = pass_.snapshot.scan_view(pass_.space);
  for (uint32_t i = 0; i < view.tail_rows; ++i) {
    const Row row = view.tail->rows[i].load(std::memory_order_relaxed);
    if (row == kNoRow || !pass_.snapshot.visible(row)) continue;
    for (uint32_t q = 0; q < asked_.size(); ++q) {
      const RetrievalQuery& query = pass_.queries[q].given();
      const double dot = dot_product(query.vector.data(), vector_of(row),
                                     static_cast<uint32_t>(query.vector.size()));
      const double weight = pass_.queries[q].weight(pass_.snapshot.publish_time(row));
      offer(q, row, pass_.queries[q].score({dot, dot}, weight, weight));
    }
  }
}

const float* ScanWorker::vector_of(Row row) const {
  return pass_.snapshot.chunk_of(row).vector(pass_.space, Snapshot::offset_of(row));
}

void ScanWorker::scan(const ScanList::Step& step) {
  const ScanSegment::Unit& unit = step.segment->units()[step.unit];
  std::array<ScanLane*, ScanPass::kMostQueries> lanes;
  std::array<uint32_t, ScanPass::kMostQueries> numbers;
  uint32_t count = 0;
  for (uint32_t q = 0; q < asked_.size(); ++q) {
    Asked& asked = asked_[q];
    const ScanQuery& query = pass_.queries[q];
    if (asked.ended) continue;
    asked.threshold = pass_.thresholds[q].value();
    asked.newest_weight = newest_weight(q, unit.newest);
    if (!query.may_reach(asked.threshold, step.largest_norm, asked.newest_weight)) {
      // Nor can anything after it, which is older.
      asked.ended = true;
      ++ended_;
      continue;
    }
    if (!query.may_reach(asked.threshold, unit.norm, asked.newest_weight)) continue;
    if (!query.aim(unit, asked.threshold, asked.newest_weight, asked.lane)) continue;
    lanes[count] = &asked.lane;
    numbers[count++] = q;
  }
  if (count == 0) return;
  pass_.kernel.scan(step.segment->items_of(step.unit), lanes.data(), count);
  for (uint32_t l = 0; l < count; ++l) {
    if (lanes[l]->count > 0) take(numbers[l], *step.segment, unit);
  }
}

double ScanWorker::newest_weight(uint32_t q, int64_t newest) const {
  if (q > 0 && !asked_[q - 1].ended) {
    const RetrievalQuery& query = pass_.queries[q].given();
    const RetrievalQuery& before = pass_.queries[q - 1].given();
    if (query.now == before.now && query.tau_ms == before.tau_ms) {
      return asked_[q - 1].newest_weight;
    }
  }
  return pass_.queries[q].weight(newest);
}

void ScanWorker::take(uint32_t q, const ScanSegment& segment, const ScanSegment::Unit& unit) {
  const ScanQuery& query = pass_.queries[q];
  const Asked& asked = asked_[q];
  const double oldest_weight = query.weight(unit.oldest);
  // Where a unit spans little time, its items' weights are as good as known.
  constexpr double kLittle = 0.995;
  const bool together = oldest_weight >= kLittle * asked.newest_weight;
  for (uint32_t i = 0; i < asked.lane.count; ++i) {
    const uint32_t position = asked.positions[i];
    const Row row = segment.row(position);
    if (!segment.alive(position) && (row == kNoRow || !pass_.snapshot.visible(row))) continue;
    const ScanQuery::Dots dots = query.dots(unit, segment.scale(position), asked.dots[i]);
    if (together) {
      offer(q, row, query.score(dots, oldest_weight, asked.newest_weight));
    } else {
      const double weight = query.weight(segment.publish_time(position));
      offer(q, row, query.score(dots, weight, weight));
    }
  }
}

void ScanWorker::offer(uint32_t q, Row row, std::optional<BoundedScore> score) {
  if (!score || score->high < asked_[q].threshold) return;
  score->row = row;
  ScoreCollector& collector = pass_.collectors[q][thread_];
  if (!collector.offer(*score, asked_[q].threshold)) return;
  pass_.thresholds[q].renew(thread_, collector.kth(), collector.at_share());
  asked_[q].threshold = pass_.thresholds[q].value();
}

}  // namespace feedrank
