#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "runtime/prefetch.h"

namespace feedrank {

/// Decides which events count: those not older than the lateness bound, each `eventId` once.
/// Event time is the newest `at` accepted so far, but never ahead of the clock that the caller
/// gives, so that one client with a fast clock cannot make everybody else late. An id is remembered
/// at least as long as an event with its `at` would still be accepted; a repetition that comes
/// later is dropped as late. So counting once holds throughout, and the memory is bounded by the
/// bound.
///
/// What is kept of an id is a fingerprint of 128 bits in flat tables, one a slice of event time:
/// 32 to 64 bytes an event, freed a table at a time. Strings of their own, living for minutes among
/// the short-lived memory of requests, keep the heap from shrinking. An id is looked for in every
/// slice, each a miss of the cache, so slices are as long as the bound and there are two or three.
class EventGate {
 public:
  enum class Verdict : uint8_t { kAccept, kDuplicate, kLate };
  using Fingerprint = std::array<uint64_t, 2>;

  explicit EventGate(int64_t lateness_ms) : lateness_(lateness_ms) {}

  /// Of an id; zeros for an event without one.
  static Fingerprint fingerprint_of(const std::string& event_id);

  /// Brings near where an id will be looked for, so that a batch does not wait for each in turn.
  void prefetch(const Fingerprint& fingerprint) const;

  Verdict judge(int64_t at, const Fingerprint& fingerprint, int64_t now = INT64_MAX);
  Verdict judge(int64_t at, const std::string& event_id, int64_t now = INT64_MAX) {
    return judge(at, fingerprint_of(event_id), now);
  }

  size_t remembered() const;

 private:
  /// A set of fingerprints with open addressing; zeros mark an empty place.
  class FingerprintSet {
   public:
    bool contains(const Fingerprint& fingerprint) const;
    void insert(const Fingerprint& fingerprint);
    void prefetch(const Fingerprint& fingerprint) const {
      if (!places_.empty()) feedrank::prefetch(&places_[fingerprint[0] & (places_.size() - 1)]);
    }
    size_t size() const { return size_; }

   private:
    size_t place_of(const Fingerprint& fingerprint) const;

    std::vector<Fingerprint> places_;
    size_t size_ = 0;
  };
  struct Slice {
    int64_t index;
    FingerprintSet ids;
  };

  int64_t slice_of(int64_t at) const { return at / slice_length(); }
  /// A minute at least, because events may lie ten minutes ahead of the clock whatever the bound.
  int64_t slice_length() const { return std::max<int64_t>(lateness_, 60'000) + 1; }
  Slice& slice_for(int64_t at);

  const int64_t lateness_;
  int64_t newest_ = INT64_MIN;
  std::deque<Slice> slices_;  // in order of event time
};

}  // namespace feedrank
