#include "features/event_gate.h"

#include <algorithm>
#include <functional>

namespace feedrank {

size_t EventGate::FingerprintSet::place_of(const Fingerprint& fingerprint) const {
  const size_t mask = places_.size() - 1;
  size_t place = fingerprint[0] & mask;
  // By halves: comparing the arrays as wholes is a call into the C library for each.
  const auto is = [&](uint64_t first, uint64_t second) {
    return places_[place][0] == first && places_[place][1] == second;
  };
  while (!is(0, 0) && !is(fingerprint[0], fingerprint[1])) place = (place + 1) & mask;
  return place;
}

bool EventGate::FingerprintSet::contains(const Fingerprint& fingerprint) const {
  return !places_.empty() && places_[place_of(fingerprint)] == fingerprint;
}

void EventGate::FingerprintSet::insert(const Fingerprint& fingerprint) {
  if (places_.size() < 2 * (size_ + 1)) {
    constexpr size_t kSmallest = 64;
    std::vector<Fingerprint> before(std::max(kSmallest, 2 * places_.size()));
    before.swap(places_);
    for (const Fingerprint& kept : before) {
      if (kept != Fingerprint{}) places_[place_of(kept)] = kept;
    }
  }
  places_[place_of(fingerprint)] = fingerprint;
  ++size_;
}

EventGate::Fingerprint EventGate::fingerprint_of(const std::string& event_id) {
  if (event_id.empty()) return {};
  // Two unlike functions of 64 bits: the library's own, and FNV-1a (Fowler, Noll, Vo 1991).
  uint64_t second = 0xcbf29ce484222325ULL;
  for (const char byte : event_id) {
    second = (second ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  }
  return {std::hash<std::string>{}(event_id), second | 1U};
}

EventGate::Slice& EventGate::slice_for(int64_t at) {
  const int64_t index = slice_of(at);
  auto place = std::lower_bound(slices_.begin(), slices_.end(), index,
                                [](const Slice& slice, int64_t i) { return slice.index < i; });
  if (place == slices_.end() || place->index != index) {
    place = slices_.insert(place, Slice{index, {}});
  }
  return *place;
}

void EventGate::prefetch(const Fingerprint& fingerprint) const {
  for (const Slice& slice : slices_) slice.ids.prefetch(fingerprint);
}

EventGate::Verdict EventGate::judge(int64_t at, const Fingerprint& fingerprint, int64_t now) {
  if (newest_ != INT64_MIN && at < newest_ - lateness_) return Verdict::kLate;
  if (fingerprint == Fingerprint{}) {
    newest_ = std::max(newest_, std::min(at, now));
    return Verdict::kAccept;
  }
  const bool known = std::any_of(slices_.begin(), slices_.end(), [&](const Slice& slice) {
    return slice.ids.contains(fingerprint);
  });
  if (known) return Verdict::kDuplicate;
  newest_ = std::max(newest_, std::min(at, now));
  while (!slices_.empty() && slices_.front().index < slice_of(newest_ - lateness_)) {
    slices_.pop_front();
  }
  slice_for(at).ids.insert(fingerprint);
  return Verdict::kAccept;
}

size_t EventGate::remembered() const {
  size_t count = 0;
  for (const Slice& slice : slices_) count += slice.ids.size();
  return count;
}

}  // namespace feedrank
