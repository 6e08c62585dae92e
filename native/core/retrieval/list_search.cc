#include "retrieval/list_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "catalog/snapshot.h"
#include "retrieval/expected_cosines.h"
#include "runtime/prefetch.h"

namespace feedrank {

ListSearch::ListSearch(ScanPass& pass, ScanWorker& worker, std::span<const ListedSegment> segments)
    : pass_(pass),
      worker_(worker),
      query_(pass.queries.front()),
      effort_(*query_.given().effort),
      segments_(segments) {
  uint32_t lists = 0;
  uint32_t most = 0;
  for (const ListedSegment& listed : segments_) {
    first_.push_back(lists);
    lists += listed.lists->centroids->count();
    most = std::max(most, listed.lists->centroids->count());
  }
  first_.push_back(lists);
  cosines_.resize(lists);
  reaches_.resize(lists);
  block_reaches_.resize(lists / kScanBlock);
  centroid_positions_.resize(most + kScanBlock);
  centroid_dots_.resize(most + kScanBlock);
  query_.aim_at_all(centroid_lane_);
  centroid_lane_.positions = centroid_positions_.data();
  centroid_lane_.dots = centroid_dots_.data();
  lane_.positions = positions_.data();
  lane_.dots = dots_.data();
}

void ListSearch::run() {
  size_t items = 0;
  for (uint32_t s = 0; s < segments_.size(); ++s) {
    expect_of(s);
    items += segments_[s].segment->size();
  }
  // Those that are likeliest to hold the best raise the threshold, so that most others need not
  // even be ordered.
  const double share = 2.0 * query_.given().k / static_cast<double>(items);
  std::vector<Entry> first;
  for (uint32_t s = 0; s < segments_.size(); ++s) {
    const size_t lists = segments_[s].lists->centroids->count();
    const auto count = static_cast<size_t>(std::ceil(share * static_cast<double>(lists)));
    const std::vector<Entry> of_segment = likeliest(s, std::min(lists, count));
    first.insert(first.end(), of_segment.begin(), of_segment.end());
  }
  order(first);
  visit(first);
  for (const Entry& entry : first) {
    reaches_[first_[entry.segment] + entry.list] = -std::numeric_limits<float>::infinity();
  }
  std::vector<Entry> rest;
  for (uint32_t s = 0; s < segments_.size(); ++s) {
    const InvertedLists& lists = *segments_[s].lists;
    const double threshold = worker_.threshold(0);
    // A hair less covers the rounding of the quotient.
    const double least = threshold / (query_.norm() * lists.largest_norm) * (1 - 1e-6);
    const float least_reach =
        threshold > 0 ? static_cast<float>(least) : std::numeric_limits<float>::lowest();
    for (uint32_t b = first_[s]; b < first_[s + 1]; b += kScanBlock) {
      if (block_reaches_[b / kScanBlock] < least_reach) continue;
      for (uint32_t l = b; l < b + kScanBlock; ++l) {
        if (reaches_[l] >= least_reach) rest.push_back({0, cosines_[l], s, l - first_[s]});
      }
    }
  }
  order(rest);
  visit(rest);
}

void ListSearch::expect_of(uint32_t segment) {
  const InvertedLists& lists = *segments_[segment].lists;
  if (lists.centroids.get() != compared_) {
    ScanLane* const lane = &centroid_lane_;
    pass_.kernel.scan(lists.centroids->items(), &lane, 1);
    compared_ = lists.centroids.get();
  }
  QueryDirection direction;
  // Of a query too short to be coded nothing is known, and its deviation says so.
  const double norm = query_.code_norm();
  direction.inverse_norm = norm > 0 ? static_cast<float>(1 / norm) : 0.0F;
  const double sine = std::min(1.0, query_.deviation());
  direction.deviation_sine = static_cast<float>(sine);
  direction.deviation_cosine = static_cast<float>(std::sqrt(1 - sine * sine));
  direction.effort = static_cast<float>(effort_);
  const uint32_t first = first_[segment];
  expected_cosines(lists, direction, centroid_lane_.dots,
                   {cosines_.data() + first, reaches_.data() + first,
                    block_reaches_.data() + first / kScanBlock});
}

std::vector<ListSearch::Entry> ListSearch::likeliest(uint32_t segment, size_t count) const {
  const float* reaches = reaches_.data() + first_[segment];
  const uint32_t lists = first_[segment + 1] - first_[segment];
  std::vector<uint32_t> numbers(count);
  if (count == 1) {
    const float* blocks = block_reaches_.data() + first_[segment] / kScanBlock;
    const float* best = std::max_element(blocks, blocks + lists / kScanBlock);
    const float* begin = reaches + (best - blocks) * kScanBlock;
    numbers.front() = static_cast<uint32_t>(std::find(begin, begin + kScanBlock, *best) - reaches);
  } else {
    numbers.resize(lists);
    std::iota(numbers.begin(), numbers.end(), 0);
    std::nth_element(numbers.begin(), numbers.begin() + static_cast<ptrdiff_t>(count),
                     numbers.end(),
                     [reaches](uint32_t a, uint32_t b) { return reaches[a] > reaches[b]; });
    numbers.resize(count);
  }
  std::vector<Entry> entries;
  for (size_t i = 0; i < count; ++i) {
    entries.push_back({0, cosines_[first_[segment] + numbers[i]], segment, numbers[i]});
  }
  return entries;
}

void ListSearch::order(std::vector<Entry>& entries) const {
  for (Entry& entry : entries) {
    const InvertedLists& lists = *segments_[entry.segment].lists;
    entry.reach = double{entry.cosine} * double{lists.relative_norm[entry.list]} *
                  lists.largest_norm * query_.weight(lists.newest[entry.list]);
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    if (a.reach != b.reach) return a.reach > b.reach;
    return a.segment != b.segment ? a.segment < b.segment : a.list < b.list;
  });
}

void ListSearch::visit(std::span<const Entry> entries) {
  Cursor cursor{entries};
  // One ahead, so that memory brings it while the one before is read.
  Stop stop = next(cursor);
  while (stop.unit != nullptr) {
    const Stop following = next(cursor);
    if (query_.aim(stop.unit->bounds, worker_.threshold(0), stop.weight, lane_)) {
      ScanItems items = stop.from->lists->items_of(*stop.unit);
      items.blocks = stop.blocks;
      items.ahead = items.codes;
      if (following.unit != nullptr) fetch(following);
      ScanLane* const lane = &lane_;
      pass_.kernel.scan(items, &lane, 1);
      take(*stop.from, *stop.unit);
    }
    stop = following;
  }
}

void ListSearch::fetch(const Stop& stop) {
  // The first lines; the processor's own prefetching follows with the others.
  constexpr size_t kFirst = 512;
  const ScanItems items = stop.from->lists->items_of(*stop.unit);
  prefetch(items.codes, kFirst);
  prefetch(items.scales);
}

ListSearch::Stop ListSearch::next(Cursor& cursor) const {
  for (; cursor.entry < cursor.entries.size(); ++cursor.entry, cursor.unit = 0) {
    const Entry& entry = cursor.entries[cursor.entry];
    const ListedSegment& from = segments_[entry.segment];
    const InvertedLists& lists = *from.lists;
    if (cursor.unit == 0) {
      const double threshold = worker_.threshold(0);
      if (!query_.may_reach(threshold, entry.reach, 1)) break;
      const double norm = double{lists.relative_norm[entry.list]} * lists.largest_norm;
      cursor.oldest = query_.oldest_to_reach(threshold, double{entry.cosine} * norm);
    }
    const uint32_t number = lists.first_unit[entry.list] + cursor.unit;
    if (number == lists.first_unit[entry.list + 1]) continue;
    const InvertedLists::Unit& unit = lists.units[number];
    uint32_t blocks = 0;
    while (blocks < unit.blocks && lists.block_newest[unit.first_block + blocks] >= cursor.oldest) {
      ++blocks;
    }
    // Blocks are newest first, so the rest of the list is too old.
    if (blocks == 0) continue;
    ++cursor.unit;
    return {&from, &unit, blocks, query_.weight(unit.bounds.newest)};
  }
  return {};
}

void ListSearch::take(const ListedSegment& from, const InvertedLists::Unit& unit) {
  const InvertedLists& lists = *from.lists;
  // A list's items lie scattered over their segment.
  constexpr uint32_t kAhead = 8;
  for (uint32_t i = 0; i < lane_.count; ++i) {
    if (i + kAhead < lane_.count) {
      const uint32_t ahead = lists.positions[lane_.positions[i + kAhead]];
      if (ahead != InvertedLists::kNoPosition) from.segment->prefetch_row(ahead);
    }
    const uint32_t place = lane_.positions[i];
    const uint32_t position = lists.positions[place];
    if (position == InvertedLists::kNoPosition) continue;
    const ScanQuery::Dots dots = query_.dots(unit.bounds, lists.scales[place], lane_.dots[i]);
    const double weight = query_.weight(lists.publish_times[place]);
    const auto score = query_.score(dots, weight, weight);
    if (!score || score->high < worker_.threshold(0)) continue;
    const Row row = from.segment->row(position);
    const bool alive = from.segment->alive(position);
    if (!alive && (row == kNoRow || !pass_.snapshot.visible(row))) continue;
    worker_.offer(0, row, score);
  }
}

}  // namespace feedrank
