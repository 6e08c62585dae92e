#include "retrieval/clustering.h"

#include "catalog/catalog.h"

namespace feedrank {
namespace {

struct Unlisted {
  uint32_t space = 0;
  std::shared_ptr<ScanSegment> segment;  // null where there is none
};

/// A segment that is to have lists and has none.
Unlisted next_segment(const Snapshot& snapshot) {
  const auto& spaces = snapshot.catalog().schema().spaces;
  for (uint32_t s = 0; s < spaces.size(); ++s) {
    if (!spaces[s].approximate) continue;
    for (const auto& segment : snapshot.scan_view(s).list->segments) {
      const bool large = segment->size() >= InvertedLists::kLeastItems;
      if (large && segment->lists() == nullptr) return {s, segment};
    }
  }
  return {};
}

}  // namespace

bool Clustering::step(const Catalog& catalog) {
  std::scoped_lock lock(mutex_);
  if (builder_ == nullptr) {
    if (!catalog.schema().any_approximate()) return false;
    Unlisted next = next_segment(*catalog.pin());
    if (next.segment == nullptr) return false;
    known_.resize(catalog.schema().spaces.size());
    space_ = next.space;
    builder_ = std::make_unique<InvertedListsBuilder>(std::move(next.segment), chosen_scan_kernel(),
                                                      known_[space_]);
  }
  if (!builder_->step()) {
    known_[space_] = builder_->known();
    builder_->segment()->set_lists(builder_->take());
    builder_ = nullptr;
  }
  return true;
}

}  // namespace feedrank
