#include "features/user_store.h"

#include <algorithm>

namespace feedrank {

void UserStore::record(const UserId& user, EventType type, Slot slot) {
  if (type != EventType::kImpression && type != EventType::kClick && type != EventType::kDwell) {
    return;
  }
  std::scoped_lock lock(mutex_);
  auto found = by_id_.find(user);
  if (found == by_id_.end()) {
    if (users_.size() >= limits_.max_users) {
      by_id_.erase(users_.front().id);
      users_.pop_front();
    }
    users_.push_back({user, {}});
    found = by_id_.emplace(user, std::prev(users_.end())).first;
  } else {
    users_.splice(users_.end(), users_, found->second);
  }
  std::vector<Shown>& shown = found->second->shown;
  auto entry = std::find_if(shown.begin(), shown.end(),
                            [slot](const Shown& known) { return known.slot == slot; });
  if (entry == shown.end()) {
    if (shown.size() >= limits_.max_shown_per_user) shown.erase(shown.begin());
    shown.push_back({slot, 0, false});
  } else {
    std::rotate(entry, entry + 1, shown.end());
  }
  Shown& last = shown.back();
  if (type == EventType::kImpression) {
    last.times = static_cast<uint16_t>(std::min(last.times + 1, 0xffff));
  } else {
    last.read = true;
  }
}

std::vector<UserStore::Shown> UserStore::shown(const UserId& user) const {
  std::scoped_lock lock(mutex_);
  const auto found = by_id_.find(user);
  return found == by_id_.end() ? std::vector<Shown>{} : found->second->shown;
}

bool UserStore::forget(const UserId& user) {
  std::scoped_lock lock(mutex_);
  const auto found = by_id_.find(user);
  if (found == by_id_.end()) return false;
  users_.erase(found->second);
  by_id_.erase(found);
  return true;
}

size_t UserStore::size() const {
  std::scoped_lock lock(mutex_);
  return users_.size();
}

}  // namespace feedrank
