#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "catalog/chunk.h"
#include "features/event.h"

namespace feedrank {

/// What each reader was shown and has read. Bounded: the least recently active user goes first,
/// and of each user the items shown or read longest ago.
class UserStore {
 public:
  struct Limits {
    uint32_t max_users = 100'000;
    uint32_t max_shown_per_user = 256;
  };
  struct Shown {
    Slot slot;
    uint16_t times = 0;
    bool read = false;
  };

  explicit UserStore(Limits limits) : limits_(limits) {}

  UserStore(const UserStore&) = delete;
  UserStore& operator=(const UserStore&) = delete;

  void record(const UserId& user, EventType type, Slot slot);

  /// What is known of the user, in no particular order; empty for a stranger.
  std::vector<Shown> shown(const UserId& user) const;

  /// Whether anything was known.
  bool forget(const UserId& user);

  size_t size() const;

 private:
  struct User {
    UserId id;
    std::vector<Shown> shown;  // least recently touched first
  };

  const Limits limits_;
  mutable std::mutex mutex_;
  std::list<User> users_;  // least recently active first
  std::unordered_map<UserId, std::list<User>::iterator, ItemIdHash> by_id_;
};

}  // namespace feedrank
