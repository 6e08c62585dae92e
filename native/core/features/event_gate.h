#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace feedrank {

/// Decides which events count: those not older than the lateness bound, each `eventId` once.
/// Event time is the newest `at` accepted so far. An id is remembered just as long as an event with
/// its `at` would still be accepted; a repetition that comes later is dropped as late, so counting
/// once is exact and the memory is bounded by the bound.
class EventGate {
 public:
  enum class Verdict : uint8_t { kAccept, kDuplicate, kLate };

  explicit EventGate(int64_t lateness_ms) : lateness_(lateness_ms) {}

  Verdict judge(int64_t at, const std::string& event_id);

  size_t remembered() const { return ids_.size(); }

 private:
  using Remembered = std::pair<int64_t, std::string>;

  const int64_t lateness_;
  int64_t newest_ = INT64_MIN;
  std::unordered_set<std::string> ids_;
  std::priority_queue<Remembered, std::vector<Remembered>, std::greater<>> oldest_first_;
};

}  // namespace feedrank
