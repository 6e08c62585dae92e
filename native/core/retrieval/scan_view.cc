#include "retrieval/scan_view.h"

#include <algorithm>
#include <utility>

#include "retrieval/scan_coding.h"
#include "retrieval/scan_segment.h"

namespace feedrank {

ScanList ScanList::of(std::vector<std::shared_ptr<ScanSegment>> segments) {
  ScanList list;
  for (const auto& segment : segments) {
    for (uint32_t u = 0; u < segment->units().size(); ++u) {
      list.steps.push_back({segment->units()[u].newest, segment.get(), u, 0});
    }
  }
  std::stable_sort(list.steps.begin(), list.steps.end(),
                   [](const Step& a, const Step& b) { return a.newest > b.newest; });
  float largest = 0;
  for (auto step = list.steps.rbegin(); step != list.steps.rend(); ++step) {
    largest = std::max(largest, rounded_up(step->segment->units()[step->unit].norm));
    step->largest_norm = largest;
  }
  list.segments = std::move(segments);
  return list;
}

size_t ScanView::bytes() const {
  size_t bytes = tail == nullptr ? 0 : sizeof(ScanTail);
  for (const auto& segment : list->segments) bytes += segment->bytes();
  return bytes + list->steps.size() * sizeof(ScanList::Step);
}

}  // namespace feedrank
