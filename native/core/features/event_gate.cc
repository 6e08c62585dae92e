#include "features/event_gate.h"

#include <algorithm>

namespace feedrank {

EventGate::Verdict EventGate::judge(int64_t at, const std::string& event_id) {
  if (newest_ != INT64_MIN && at < newest_ - lateness_) return Verdict::kLate;
  if (!event_id.empty() && ids_.contains(event_id)) return Verdict::kDuplicate;
  newest_ = std::max(newest_, at);
  while (!oldest_first_.empty() && oldest_first_.top().first < newest_ - lateness_) {
    ids_.erase(oldest_first_.top().second);
    oldest_first_.pop();
  }
  if (!event_id.empty()) {
    ids_.insert(event_id);
    oldest_first_.emplace(at, event_id);
  }
  return Verdict::kAccept;
}

}  // namespace feedrank
