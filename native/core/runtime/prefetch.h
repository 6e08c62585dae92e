#pragma once

#include <cstddef>

namespace feedrank {

/// Asks for memory that will be read soon, and waits for none of it.
inline void prefetch(const void* begin, size_t bytes) {
  constexpr size_t kLine = 64;
  for (size_t at = 0; at < bytes; at += kLine) {
    __builtin_prefetch(static_cast<const char*>(begin) + at);
  }
  // GCC takes functions that do nothing but prefetch for functions without effect, and drops calls
  // of them and of whatever calls them. An empty statement that it may not look into prevents that.
  asm volatile("" : : "r"(begin));
}

template <typename T>
void prefetch(const T* value) {
  prefetch(static_cast<const void*>(value), sizeof(T));
}

}  // namespace feedrank
