#include "catalog/string_table.h"

#include <mutex>

namespace feedrank {

uint32_t StringTable::intern(std::string_view text) {
  if (const uint32_t code = find(text); code != kNone) return code;
  std::unique_lock lock(mutex_);
  if (const auto found = codes_.find(text); found != codes_.end()) return found->second;
  const auto code = static_cast<uint32_t>(texts_.size());
  // A deque never moves its elements, so the views that key the map stay valid.
  const std::string& kept = texts_.emplace_back(text);
  codes_.emplace(kept, code);
  return code;
}

uint32_t StringTable::find(std::string_view text) const {
  std::shared_lock lock(mutex_);
  const auto found = codes_.find(text);
  return found == codes_.end() ? kNone : found->second;
}

const std::string& StringTable::text(uint32_t code) const {
  std::shared_lock lock(mutex_);
  return texts_.at(code);
}

}  // namespace feedrank
