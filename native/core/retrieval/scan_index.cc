#include "retrieval/scan_index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <utility>

#include "retrieval/scan_coding.h"

namespace feedrank {
namespace {

/// Segments of at most this many items, so that no merge takes long.
constexpr uint32_t kMostItems = 1U << 18;
/// This many segments of one size class become one of the next.
constexpr size_t kFanIn = 4;
/// Segments of this class and above, from 65,536 items, are merged no further.
constexpr uint32_t kLastClass = 4;

int64_t publish_time(const ChunkList& chunks, Row row) {
  return chunks[row / Chunk::kRows]->publish_time[Snapshot::offset_of(row)];
}

/// 0 below 1,024 items, 1 below 4,096, and so on.
uint32_t size_class(uint32_t items) {
  const auto bits = static_cast<uint32_t>(std::bit_width(items / (ScanTail::kRows * kFanIn)));
  return (bits + 1) / 2;
}

/// How many of `count` items go into a segment: as even as can be.
uint32_t share(uint32_t count) {
  const uint32_t segments = (count + kMostItems - 1) / kMostItems;
  return (count + segments - 1) / segments;
}

}  // namespace

ScanIndex::ScanIndex(uint32_t space, uint32_t dimensions)
    : space_(space), dimensions_(dimensions), list_(std::make_shared<ScanList>()) {}

bool ScanIndex::has_vector(const ChunkList& chunks, Row row) const {
  return chunks[row / Chunk::kRows]->has_vector(space_, Snapshot::offset_of(row));
}

void ScanIndex::forget(Row row) {
  Place& place = places_[row];
  if (place.segment == kInTail) {
    tail_->rows[place.position].store(kNoRow, std::memory_order_relaxed);
  } else if (place.segment != kNowhere) {
    segments_[place.segment]->note_reused(place.position);
  }
  place = {};
}

void ScanIndex::insert(const ChunkList& chunks, std::span<const Row> rows, uint32_t row_count) {
  if (row_count > places_.size()) places_.resize(row_count);
  std::vector<Row> taken;
  taken.reserve(rows.size() + tail_rows_);
  for (const Row row : rows) {
    forget(row);
    if (has_vector(chunks, row)) taken.push_back(row);
  }
  if (taken.empty()) return;
  if (tail_rows_ + taken.size() <= ScanTail::kRows) {
    if (tail_ == nullptr) tail_ = std::make_shared<ScanTail>();
    for (const Row row : taken) {
      tail_->rows[tail_rows_].store(row, std::memory_order_relaxed);
      places_[row] = {kInTail, tail_rows_++};
    }
    return;
  }
  for (uint32_t i = 0; i < tail_rows_; ++i) {
    const Row row = tail_->rows[i].load(std::memory_order_relaxed);
    if (row != kNoRow && !tail_removed_[i]) taken.push_back(row);
  }
  replace({}, coded(chunks, std::move(taken)));
  for (uint32_t i = 0; i < tail_rows_; ++i) {
    const Row row = tail_->rows[i].load(std::memory_order_relaxed);
    if (row != kNoRow && tail_removed_[i]) places_[row] = {};
  }
  tail_.reset();
  tail_rows_ = 0;
  tail_removed_.reset();
}

void ScanIndex::note_removed(Row row) {
  const Place place = places_[row];
  if (place.segment == kInTail) {
    tail_removed_.set(place.position);
  } else if (place.segment != kNowhere) {
    segments_[place.segment]->note_removed(place.position);
  }
}

ScanIndex::Segments ScanIndex::coded(const ChunkList& chunks, std::vector<Row> rows) const {
  std::sort(rows.begin(), rows.end(), [&chunks](Row a, Row b) {
    const int64_t at = publish_time(chunks, a);
    const int64_t bt = publish_time(chunks, b);
    return at != bt ? at > bt : a < b;
  });
  Segments segments;
  const auto count = static_cast<uint32_t>(rows.size());
  for (uint32_t begin = 0; begin < count; begin += share(count)) {
    const uint32_t size = std::min(share(count), count - begin);
    auto segment = std::make_shared<ScanSegment>(size, dimensions_);
    for (uint32_t i = 0; i < size; ++i) {
      const Row row = rows[begin + i];
      const float* vector = chunks[row / Chunk::kRows]->vector(space_, Snapshot::offset_of(row));
      segment->code(i, row, publish_time(chunks, row), {vector, dimensions_});
    }
    segments.push_back(std::move(segment));
  }
  return segments;
}

ScanIndex::Segments ScanIndex::merged(const Segments& sources) const {
  struct Entry {
    int64_t at;
    const ScanSegment* segment;
    uint32_t position;
  };
  const auto newer = [](const Entry& a, const Entry& b) { return a.at > b.at; };
  std::vector<Entry> entries;
  for (const auto& source : sources) {
    const auto middle = static_cast<ptrdiff_t>(entries.size());
    for (uint32_t i = 0; i < source->size(); ++i) {
      if (!source->alive(i)) continue;
      entries.push_back({source->publish_time(i), source.get(), i});
    }
    std::inplace_merge(entries.begin(), entries.begin() + middle, entries.end(), newer);
  }
  Segments segments;
  const auto count = static_cast<uint32_t>(entries.size());
  for (uint32_t begin = 0; begin < count; begin += share(count)) {
    const uint32_t size = std::min(share(count), count - begin);
    auto segment = std::make_shared<ScanSegment>(size, dimensions_);
    for (uint32_t i = 0; i < size; ++i) {
      const Entry& entry = entries[begin + i];
      segment->copy(i, *entry.segment, entry.position);
    }
    segments.push_back(std::move(segment));
  }
  return segments;
}

void ScanIndex::replace(const Segments& sources, const Segments& segments) {
  const auto is_source = [&sources](const ScanSegment* segment) {
    return std::any_of(sources.begin(), sources.end(),
                       [segment](const auto& source) { return source.get() == segment; });
  };
  // Memory is asked for before anything changes.
  auto list = std::make_shared<ScanList>();
  std::vector<ScanList::Step> added;
  for (const auto& segment : segments) {
    for (uint32_t u = 0; u < segment->units().size(); ++u) {
      added.push_back({segment->units()[u].newest, segment.get(), u, 0});
    }
  }
  const auto newer = [](const ScanList::Step& a, const ScanList::Step& b) {
    return a.newest > b.newest;
  };
  std::stable_sort(added.begin(), added.end(), newer);
  list->steps.reserve(list_->steps.size() + added.size());
  for (const ScanList::Step& step : list_->steps) {
    if (!is_source(step.segment)) list->steps.push_back(step);
  }
  const auto middle = static_cast<ptrdiff_t>(list->steps.size());
  list->steps.insert(list->steps.end(), added.begin(), added.end());
  std::inplace_merge(list->steps.begin(), list->steps.begin() + middle, list->steps.end(), newer);
  float largest = 0;
  for (auto step = list->steps.rbegin(); step != list->steps.rend(); ++step) {
    largest = std::max(largest, rounded_up(step->segment->units()[step->unit].norm));
    step->largest_norm = largest;
  }
  list->segments.reserve(list_->segments.size() + segments.size());
  for (const auto& segment : list_->segments) {
    if (!is_source(segment.get())) list->segments.push_back(segment);
  }
  list->segments.insert(list->segments.end(), segments.begin(), segments.end());
  segments_.reserve(segments_.size() + segments.size());

  for (auto& segment : segments_) {
    if (segment == nullptr || !is_source(segment.get())) continue;
    for (uint32_t i = 0; i < segment->size(); ++i) {
      const Row row = segment->row(i);
      if (row != kNoRow) places_[row] = {};
    }
    segment.reset();
  }
  for (const auto& segment : segments) {
    auto free = std::find(segments_.begin(), segments_.end(), nullptr);
    if (free == segments_.end()) free = segments_.insert(free, nullptr);
    *free = segment;
    const auto number = static_cast<uint32_t>(free - segments_.begin());
    for (uint32_t i = 0; i < segment->size(); ++i) places_[segment->row(i)] = {number, i};
  }
  list_ = std::move(list);
}

ScanIndex::Segments ScanIndex::next_to_merge() const {
  std::array<Segments, kLastClass> classes;
  for (const auto& segment : list_->segments) {
    const uint32_t living = segment->size() - segment->removed();
    // At a third, the living that are moved are at most twice as many as the removed that go.
    if (3 * uint64_t{segment->removed()} > segment->size()) return {segment};
    const uint32_t of = size_class(living);
    if (of >= kLastClass) continue;
    classes[of].push_back(segment);
    if (classes[of].size() == kFanIn) return classes[of];
  }
  return {};
}

bool ScanIndex::tidy() {
  bool changed = false;
  try {
    for (Segments sources = next_to_merge(); !sources.empty(); sources = next_to_merge()) {
      replace(sources, merged(sources));
      changed = true;
    }
  } catch (const std::bad_alloc&) {
    // Then later: a scan is slower with many segments, and right.
  }
  return changed;
}

}  // namespace feedrank
