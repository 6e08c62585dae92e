#include "retrieval/scan_merge.h"

#include <utility>

namespace feedrank {

ScanMerge::ScanMerge(Segments sources, uint32_t dimensions)
    : sources_(std::move(sources)), next_(sources_.size()) {
  uint32_t living = 0;
  for (const auto& source : sources_) living += source->size() - source->removed();
  made_ = std::make_shared<ScanSegment>(living, dimensions);
  origins_.reserve(living);
}

void ScanMerge::seek(size_t source) {
  const ScanSegment& segment = *sources_[source];
  while (next_[source] < segment.size() && !segment.alive(next_[source])) ++next_[source];
}

uint32_t ScanMerge::move(uint32_t most) {
  // What was next may have been removed since.
  for (size_t s = 0; s < sources_.size(); ++s) seek(s);
  uint32_t taken = 0;
  while (taken < most) {
    size_t newest = sources_.size();
    int64_t at = 0;
    for (size_t s = 0; s < sources_.size(); ++s) {
      if (next_[s] == sources_[s]->size()) continue;
      const int64_t published = sources_[s]->publish_time(next_[s]);
      if (newest < sources_.size() && published <= at) continue;
      newest = s;
      at = published;
    }
    if (newest == sources_.size()) {
      made_->close();
      done_ = true;
      break;
    }
    const uint32_t position = next_[newest]++;
    origins_.push_back({sources_[newest].get(), position});
    made_->copy(*sources_[newest], position);
    seek(newest);
    taken += next_[newest] - position;
  }
  return taken;
}

void ScanMerge::note_removed(uint32_t position) {
  origins_[position].segment->note_removed(origins_[position].position);
}

void ScanMerge::note_reused(uint32_t position) {
  origins_[position].segment->note_reused(origins_[position].position);
}

size_t ScanMerge::bytes() const { return made_->bytes() + origins_.capacity() * sizeof(Origin); }

}  // namespace feedrank
