#include "retrieval/scan_index.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "retrieval/scan_coding.h"

namespace feedrank {
namespace {

/// Segments of at most this many items, so that no merge takes much memory.
constexpr uint32_t kMostItems = 1U << 18;
/// Segments are of one class from each of these numbers of items to the next, of the first below
/// it. From the last on they are merged no further.
constexpr std::array<uint32_t, 3> kClassItems = {1024, 8192, kMostItems / 2};
/// Segments of a class become one when there are so many, or when together they have so many items.
constexpr size_t kFanIn = 8;
constexpr uint32_t kEnoughItems = kMostItems / 4 * 3;

int64_t publish_time(const ChunkList& chunks, Row row) {
  return chunks[row / Chunk::kRows]->publish_time[Snapshot::offset_of(row)];
}

size_t size_class(uint32_t items) {
  return static_cast<size_t>(std::upper_bound(kClassItems.begin(), kClassItems.end(), items) -
                             kClassItems.begin());
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
    if (place.segment == merge_number_) merge_->note_reused(place.position);
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
  // Memory is asked for before anything changes.
  const Segments segments = coded(chunks, taken);
  auto list = list_with(segments, {});
  segments_.reserve(segments_.size() + segments.size());
  for (const auto& segment : segments) place(*segment, number(segment), 0);
  list_ = std::move(list);
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
    if (place.segment == merge_number_) merge_->note_removed(place.position);
  }
}

uint32_t ScanIndex::number(std::shared_ptr<ScanSegment> segment) {
  auto free = std::find(segments_.begin(), segments_.end(), nullptr);
  if (free == segments_.end()) free = segments_.insert(free, nullptr);
  *free = std::move(segment);
  return static_cast<uint32_t>(free - segments_.begin());
}

void ScanIndex::place(const ScanSegment& segment, uint32_t number, uint32_t begin) {
  for (uint32_t i = begin; i < segment.size(); ++i) places_[segment.row(i)] = {number, i};
}

ScanIndex::Segments ScanIndex::coded(const ChunkList& chunks, std::span<const Row> rows) const {
  struct Entry {
    int64_t at;
    Row row;
  };
  std::vector<Entry> entries;
  entries.reserve(rows.size());
  for (const Row row : rows) entries.push_back({publish_time(chunks, row), row});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.at != b.at ? a.at > b.at : a.row < b.row;
  });
  Segments segments;
  const auto count = static_cast<uint32_t>(entries.size());
  for (uint32_t begin = 0; begin < count; begin += share(count)) {
    const uint32_t size = std::min(share(count), count - begin);
    auto segment = std::make_shared<ScanSegment>(size, dimensions_);
    for (const Entry& entry : std::span(entries).subspan(begin, size)) {
      const Chunk& chunk = *chunks[entry.row / Chunk::kRows];
      const float* vector = chunk.vector(space_, Snapshot::offset_of(entry.row));
      segment->code(entry.row, entry.at, {vector, dimensions_});
    }
    segment->close();
    segments.push_back(std::move(segment));
  }
  return segments;
}

std::shared_ptr<const ScanList> ScanIndex::list_with(const Segments& segments,
                                                     const Segments& in_place_of) const {
  const auto goes = [&in_place_of](const ScanSegment* segment) {
    return std::any_of(in_place_of.begin(), in_place_of.end(),
                       [segment](const auto& going) { return going.get() == segment; });
  };
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
    if (!goes(step.segment)) list->steps.push_back(step);
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
    if (!goes(segment.get())) list->segments.push_back(segment);
  }
  list->segments.insert(list->segments.end(), segments.begin(), segments.end());
  return list;
}

ScanIndex::Segments ScanIndex::next_to_merge() const {
  struct Class {
    Segments segments;
    uint32_t items = 0;
  };
  std::array<Class, kClassItems.size()> classes;
  for (const auto& segment : list_->segments) {
    const uint32_t living = segment->size() - segment->removed();
    // At a third, the living that are moved are at most twice as many as the removed that go.
    if (3 * uint64_t{segment->removed()} > segment->size()) return {segment};
    const size_t of = size_class(living);
    if (of >= classes.size()) continue;
    auto& [segments, items] = classes[of];
    if (items + living > kMostItems) return segments;
    segments.push_back(segment);
    items += living;
    if (segments.size() == kFanIn || items >= kEnoughItems) return segments;
  }
  return {};
}

void ScanIndex::begin_merge(Segments sources) {
  auto merge = std::make_unique<ScanMerge>(std::move(sources), dimensions_);
  segments_.reserve(segments_.size() + 1);
  merge_ = std::move(merge);
  merge_number_ = number(merge_->made());
}

void ScanIndex::end_merge() {
  const auto& made = merge_->made();
  const bool empty = made->size() == 0;
  auto list = list_with(empty ? Segments{} : Segments{made}, merge_->sources());
  for (const auto& source : merge_->sources()) {
    // Removed items stayed behind, and their rows' next items are none of theirs.
    const auto found = std::find(segments_.begin(), segments_.end(), source);
    const auto number = static_cast<uint32_t>(found - segments_.begin());
    for (uint32_t i = 0; i < source->size(); ++i) {
      if (source->alive(i) || source->row(i) == kNoRow) continue;
      Place& place = places_[source->row(i)];
      if (place.segment == number) place = {};
    }
    found->reset();
  }
  if (empty) segments_[merge_number_].reset();
  list_ = std::move(list);
  merge_number_ = kNowhere;
  merge_.reset();
}

ScanIndex::Tidied ScanIndex::tidy(uint32_t moves) {
  Tidied tidied;
  try {
    for (;;) {
      if (merge_ == nullptr) {
        Segments sources = next_to_merge();
        if (sources.empty()) break;
        begin_merge(std::move(sources));
      }
      const uint32_t begin = merge_->made()->size();
      moves -= std::min(moves, merge_->move(moves));
      place(*merge_->made(), merge_number_, begin);
      if (!merge_->done()) {
        tidied.more = true;
        break;
      }
      end_merge();
      tidied.changed = true;
    }
  } catch (const std::bad_alloc&) {
    // Then later: a scan is slower with many segments, and right.
  }
  return tidied;
}

}  // namespace feedrank
