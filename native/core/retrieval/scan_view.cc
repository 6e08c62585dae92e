#include "retrieval/scan_view.h"

#include "retrieval/scan_segment.h"

namespace feedrank {

size_t ScanView::bytes() const {
  size_t bytes = tail == nullptr ? 0 : sizeof(ScanTail);
  for (const auto& segment : list->segments) bytes += segment->bytes();
  return bytes + list->steps.size() * sizeof(ScanList::Step);
}

}  // namespace feedrank
