#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace feedrank {

/// Waits until `holds()`. The plain `wait` of GCC 12 needs a newer libstdc++ than the binaries may
/// ask for (GLIBCXX_3.4.30); the timed one does not.
template <typename Predicate>
void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                Predicate&& holds) {
  while (!holds()) condition.wait_for(lock, std::chrono::hours(1));
}

}  // namespace feedrank
