#include "features/user_store.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/prefetch.h"

namespace feedrank {

void UserStore::unlink(uint32_t place) {
  User& user = users_[place];
  (user.older == kNobody ? oldest_ : users_[user.older].newer) = user.newer;
  (user.newer == kNobody ? newest_ : users_[user.newer].older) = user.older;
}

void UserStore::link_as_newest(uint32_t place) {
  User& user = users_[place];
  user.older = newest_;
  user.newer = kNobody;
  (newest_ == kNobody ? oldest_ : users_[newest_].newer) = place;
  newest_ = place;
}

void UserStore::give_up(uint32_t place) {
  User& user = users_[place];
  unlink(place);
  index_.erase(ItemIdHash{}(user.id), place);
  user.last_active = INT64_MIN;
  user.shown.clear();
  user.reads.clear();
}

uint32_t UserStore::place_of(const UserId& id) const {
  return index_.find(ItemIdHash{}(id), [&](uint32_t place) { return users_[place].id == id; });
}

UserStore::User& UserStore::touched(const UserId& id) {
  uint32_t place = place_of(id);
  if (place != kNobody) {
    if (place != newest_) {
      unlink(place);
      link_as_newest(place);
    }
    return users_[place];
  }
  if (index_.size() >= limits_.max_users) {
    place = oldest_;
    give_up(place);
  } else if (!free_.empty()) {
    place = free_.back();
    free_.pop_back();
  } else {
    place = static_cast<uint32_t>(users_.size());
    users_.emplace_back();
  }
  users_[place].id = id;
  index_.insert(ItemIdHash{}(id), place);
  link_as_newest(place);
  return users_[place];
}

void UserStore::prefetch(std::span<const Event> events) const {
  std::scoped_lock lock(mutex_);
  std::vector<uint32_t> places;
  places.reserve(events.size());
  for (const Event& event : events) index_.prefetch(ItemIdHash{}(event.user));
  // Without comparing ids: a wrong reader brought near does no harm.
  for (const Event& event : events) {
    places.push_back(index_.find(ItemIdHash{}(event.user), [](uint32_t) { return true; }));
    if (places.back() != kNobody) feedrank::prefetch(&users_[places.back()], 1);
  }
  for (const uint32_t place : places) {
    if (place == kNobody) continue;
    const User& user = users_[place];
    if (user.older != kNobody) feedrank::prefetch(&users_[user.older].newer);
    if (user.newer != kNobody) feedrank::prefetch(&users_[user.newer].older);
    constexpr size_t kMost = 512;
    feedrank::prefetch(user.shown.data(), std::min(user.shown.size() * sizeof(Shown), kMost));
  }
}

UserStore::Shown& UserStore::shown_entry(User& user, Slot slot, int64_t at) {
  Shown* oldest = nullptr;
  for (Shown& entry : user.shown) {
    if (entry.slot == slot) {
      if (entry.last < at - limits_.ttl_ms) entry = {slot, at, 0, false};
      entry.last = std::max(entry.last, at);
      return entry;
    }
    // What a reader has hidden is given up last, because it would come back.
    if (oldest == nullptr ||
        std::pair(entry.hidden, entry.last) < std::pair(oldest->hidden, oldest->last)) {
      oldest = &entry;
    }
  }
  if (user.shown.size() < limits_.max_shown_per_user) {
    oldest = &user.shown.emplace_back();
  }
  *oldest = {slot, at, 0, false};
  return *oldest;
}

bool UserStore::read_entry(User& user, const Event& event, Slot slot, std::vector<Read>& earlier) {
  const auto dwell = static_cast<float>(event.dwell_ms / 1000.0);
  const auto scrolled = static_cast<float>(std::isnan(event.scrolled) ? 0.0 : event.scrolled);
  Read read{slot, event.at, dwell, scrolled};
  const int64_t since = event.at - limits_.ttl_ms;
  std::erase_if(user.reads, [since](const Read& entry) { return entry.at < since; });
  const auto known = std::find_if(user.reads.begin(), user.reads.end(),
                                  [slot](const Read& entry) { return entry.slot == slot; });
  const bool first = known == user.reads.end();
  if (first) {
    earlier.assign(user.reads.begin(), user.reads.end());
    if (user.reads.size() >= limits_.max_reads_per_user) {
      // Not kept, so the next event of this item would make it known again.
      if (event.at < user.reads.front().at) return false;
      user.reads.erase(user.reads.begin());
    }
  } else {
    read = {slot, std::max(known->at, event.at), known->dwell_seconds + dwell,
            std::max(known->scrolled, scrolled)};
    user.reads.erase(known);
  }
  const auto place = std::upper_bound(user.reads.begin(), user.reads.end(), read.at,
                                      [](int64_t at, const Read& entry) { return at < entry.at; });
  user.reads.insert(place, read);
  return first;
}

bool UserStore::record(const Event& event, Slot slot, std::vector<Read>& earlier) {
  if (event.type == EventType::kOther) return false;
  std::scoped_lock lock(mutex_);
  User& user = touched(event.user);
  user.last_active = std::max(user.last_active, event.at);
  switch (event.type) {
    case EventType::kImpression: {
      Shown& shown = shown_entry(user, slot, event.at);
      shown.times = static_cast<uint16_t>(std::min(shown.times + 1, 0xffff));
      return false;
    }
    case EventType::kHide:
    case EventType::kReport:
      shown_entry(user, slot, event.at).hidden = true;
      return false;
    case EventType::kClick:
    case EventType::kDwell:
    case EventType::kRead:
      return read_entry(user, event, slot, earlier);
    case EventType::kOther:
      break;
  }
  return false;
}

void UserStore::expire(int64_t now) {
  std::scoped_lock lock(mutex_);
  while (oldest_ != kNobody && users_[oldest_].last_active < now - limits_.ttl_ms) {
    free_.push_back(oldest_);
    give_up(oldest_);
  }
}

UserStore::State UserStore::state(const UserId& user, int64_t now) const {
  State state;
  {
    std::scoped_lock lock(mutex_);
    const uint32_t place = place_of(user);
    if (place == kNobody) return {};
    state.shown = users_[place].shown;
    state.reads = users_[place].reads;
  }
  const int64_t since = now - limits_.ttl_ms;
  std::erase_if(state.shown, [since](const Shown& entry) { return entry.last < since; });
  std::erase_if(state.reads, [since](const Read& entry) { return entry.at < since; });
  return state;
}

std::vector<UserStore::Read> UserStore::reads(const UserId& user, int64_t now) const {
  std::vector<Read> reads;
  {
    std::scoped_lock lock(mutex_);
    const uint32_t place = place_of(user);
    if (place == kNobody) return {};
    reads = users_[place].reads;
  }
  const int64_t since = now - limits_.ttl_ms;
  std::erase_if(reads, [since](const Read& entry) { return entry.at < since; });
  return reads;
}

bool UserStore::forget(const UserId& user) {
  std::scoped_lock lock(mutex_);
  const uint32_t place = place_of(user);
  if (place == kNobody) return false;
  give_up(place);
  // Nothing of the reader stays in memory that is set aside.
  users_[place] = User{};
  free_.push_back(place);
  return true;
}

size_t UserStore::size() const {
  std::scoped_lock lock(mutex_);
  return index_.size();
}

size_t UserStore::bytes() const {
  std::scoped_lock lock(mutex_);
  size_t bytes = users_.size() * sizeof(User) + index_.bytes();
  for (const User& user : users_) {
    bytes += user.shown.capacity() * sizeof(Shown) + user.reads.capacity() * sizeof(Read);
  }
  return bytes;
}

}  // namespace feedrank
