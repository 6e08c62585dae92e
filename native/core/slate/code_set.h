#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "catalog/string_table.h"

namespace feedrank {

/// A few codes of authors, topics or labels, to ask many items for. Nearly every question is
/// answered by one bit.
class CodeSet {
 public:
  CodeSet() = default;
  explicit CodeSet(std::vector<uint32_t> codes) : codes_(std::move(codes)) {
    std::erase(codes_, StringTable::kNone);
    std::sort(codes_.begin(), codes_.end());
    codes_.erase(std::unique(codes_.begin(), codes_.end()), codes_.end());
    for (const uint32_t code : codes_) bits_[word(code)] |= bit(code);
  }

  /// Names that no item has are left out.
  static CodeSet of_names(const StringTable& strings, std::span<const std::string> names) {
    std::vector<uint32_t> codes;
    codes.reserve(names.size());
    for (const std::string& name : names) codes.push_back(strings.find(name));
    return CodeSet(std::move(codes));
  }

  bool empty() const { return codes_.empty(); }

  /// StringTable::kNone is in no set.
  bool contains(uint32_t code) const {
    return (bits_[word(code)] & bit(code)) != 0 &&
           std::binary_search(codes_.begin(), codes_.end(), code);
  }
  bool contains_any(std::span<const uint32_t> codes) const {
    return std::any_of(codes.begin(), codes.end(),
                       [this](uint32_t code) { return contains(code); });
  }

 private:
  static constexpr uint32_t kWords = 16;

  static uint32_t word(uint32_t code) { return code / 64 % kWords; }
  static uint64_t bit(uint32_t code) { return uint64_t{1} << (code % 64); }

  std::array<uint64_t, kWords> bits_{};
  std::vector<uint32_t> codes_;
};

}  // namespace feedrank
