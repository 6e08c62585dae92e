#pragma once

#include <cstdint>
#include <deque>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace feedrank {

/// Interns authors, topics and labels, so that rows hold four bytes and caps compare integers.
/// Codes are dense, start at 0 and are never reused; texts stay where they are until the table
/// ends.
class StringTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t intern(std::string_view text);

  /// kNone where the text was never interned.
  uint32_t find(std::string_view text) const;

  const std::string& text(uint32_t code) const;

 private:
  mutable std::shared_mutex mutex_;
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, uint32_t> codes_;
};

}  // namespace feedrank
