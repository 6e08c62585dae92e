#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "catalog/chunk.h"
#include "features/event.h"
#include "features/user_index.h"

namespace feedrank {

/// What each reader was shown, has read and has hidden. Bounded: the least recently active reader
/// goes first, and of each reader the items shown or read longest ago. What is older than the time
/// to live is as if it had never been, and a reader who has nothing younger is given up.
class UserStore {
 public:
  struct Limits {
    uint32_t max_users = 100'000;
    uint32_t max_shown_per_user = 256;
    uint32_t max_reads_per_user = 128;
    int64_t ttl_ms = 30LL * 24 * 3'600'000;
  };
  struct Shown {
    Slot slot;
    int64_t last = INT64_MIN;  // when it was shown or hidden last
    uint16_t times = 0;
    bool hidden = false;  // hidden or reported
  };
  struct Read {
    Slot slot;
    int64_t at = 0;  // the latest read's beginning, or end where only that is known
    float dwell_seconds = 0;
    float scrolled = 0;  // the largest share, 0 to 1
  };
  struct State {
    std::vector<Shown> shown;  // in no particular order
    std::vector<Read> reads;   // oldest first
  };

  explicit UserStore(const Limits& limits) : limits_(limits) {}

  UserStore(const UserStore&) = delete;
  UserStore& operator=(const UserStore&) = delete;

  /// Brings near what is known of the readers of some events, so that recording them does not wait
  /// for each in turn.
  void prefetch(std::span<const Event> events) const;

  /// Takes in what concerns the reader of an event. Where the event makes known that the reader has
  /// read the item, and that was not known before, `earlier` becomes what was known to be read
  /// until then, and true is returned.
  bool record(const Event& event, Slot slot, std::vector<Read>& earlier);

  /// Gives up readers whose last event is older than the time to live.
  void expire(int64_t now);

  /// What is known of the user as of `now`; empty for a stranger.
  State state(const UserId& user, int64_t now) const;
  /// The state's reads alone.
  std::vector<Read> reads(const UserId& user, int64_t now) const;

  /// Whether anything was known.
  bool forget(const UserId& user);

  size_t size() const;
  size_t bytes() const;

 private:
  static constexpr uint32_t kNobody = UserIndex::kNone;

  /// Kept in a slab and linked by activity, so that a store at its bound allocates nothing more.
  struct User {
    UserId id;
    int64_t last_active = INT64_MIN;
    uint32_t older = kNobody;
    uint32_t newer = kNobody;
    std::vector<Shown> shown;
    std::vector<Read> reads;
  };

  uint32_t place_of(const UserId& id) const;
  User& touched(const UserId& id);
  void unlink(uint32_t place);
  void link_as_newest(uint32_t place);
  /// Makes a reader a stranger; the place becomes free.
  void give_up(uint32_t place);
  Shown& shown_entry(User& user, Slot slot, int64_t at);
  bool read_entry(User& user, const Event& event, Slot slot, std::vector<Read>& earlier);

  const Limits limits_;
  mutable std::mutex mutex_;
  UserIndex index_;
  std::deque<User> users_;
  std::vector<uint32_t> free_;
  uint32_t oldest_ = kNobody;
  uint32_t newest_ = kNobody;
};

}  // namespace feedrank
