#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/prefetch.h"

namespace feedrank {

/// Places of readers by the hash of their ids: open addressing in one flat array, so that looking a
/// reader up is one miss of the cache and can be begun ahead. The ids themselves lie with the
/// readers; `same(place)` compares them.
class UserIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  size_t size() const { return size_; }
  size_t bytes() const { return entries_.capacity() * sizeof(Entry); }

  void prefetch(size_t hash) const {
    if (!entries_.empty()) feedrank::prefetch(&entries_[mixed(hash) & mask()]);
  }

  template <typename Same>
  uint32_t find(size_t hash, Same&& same) const {
    if (entries_.empty()) return kNone;
    const uint64_t bits = mixed(hash);
    for (size_t i = bits & mask(); entries_[i].place != kNone; i = (i + 1) & mask()) {
      if (entries_[i].tag == tag(bits) && same(entries_[i].place)) return entries_[i].place;
    }
    return kNone;
  }

  /// The place must not be there yet.
  void insert(size_t hash, uint32_t place) {
    if (entries_.size() < 2 * (size_ + 1)) grow();
    put(mixed(hash), place);
    ++size_;
  }

  /// The place must be there under this hash.
  void erase(size_t hash, uint32_t place) {
    size_t hole = mixed(hash) & mask();
    while (entries_[hole].place != place) hole = (hole + 1) & mask();
    // What comes after moves up, so that no lookup ends at the hole before its time.
    for (size_t next = (hole + 1) & mask(); entries_[next].place != kNone;
         next = (next + 1) & mask()) {
      const size_t home = entries_[next].home & mask();
      if (((next - home) & mask()) < ((next - hole) & mask())) continue;
      entries_[hole] = entries_[next];
      hole = next;
    }
    entries_[hole] = {};
    --size_;
  }

 private:
  struct Entry {
    uint32_t tag = 0;
    uint32_t home = 0;
    uint32_t place = kNone;
  };

  size_t mask() const { return entries_.size() - 1; }
  /// The library's hash of an integer is often the integer itself.
  static uint64_t mixed(size_t hash) { return hash * 0x9e3779b97f4a7c15ULL >> 16; }
  static uint32_t tag(uint64_t bits) { return static_cast<uint32_t>(bits >> 32); }

  void put(uint64_t bits, uint32_t place) {
    size_t i = bits & mask();
    while (entries_[i].place != kNone) i = (i + 1) & mask();
    entries_[i] = {tag(bits), static_cast<uint32_t>(bits), place};
  }

  void grow() {
    constexpr size_t kSmallest = 64;
    std::vector<Entry> before(entries_.empty() ? kSmallest : 2 * entries_.size());
    before.swap(entries_);
    for (const Entry& entry : before) {
      if (entry.place == kNone) continue;
      put(uint64_t{entry.tag} << 32 | entry.home, entry.place);
    }
  }

  std::vector<Entry> entries_;
  size_t size_ = 0;
};

}  // namespace feedrank
