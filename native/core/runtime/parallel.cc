#include "runtime/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "runtime/wait.h"

namespace feedrank {
namespace {

/// Outlives the call: a helper may come when everything is done. The task itself does not, so it is
/// touched by those alone who hold one of its numbers, and the caller waits for each number.
class SharedWork {
 public:
  SharedWork(uint32_t count, const std::function<void(uint32_t)>& task)
      : count_(count), task_(task), errors_(count) {}

  /// Takes numbers until there are none left.
  void help() {
    uint32_t ended = 0;
    for (uint32_t number = next_.fetch_add(1, std::memory_order_relaxed); number < count_;
         number = next_.fetch_add(1, std::memory_order_relaxed)) {
      try {
        task_(number);
      } catch (...) {
        errors_[number] = std::current_exception();
      }
      ++ended;
    }
    if (ended == 0) return;
    std::scoped_lock lock(mutex_);
    ended_ += ended;
    if (ended_ == count_) all_ended_.notify_one();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    wait_until(all_ended_, lock, [this] { return ended_ == count_; });
  }

  /// Takes the exceptions along, so that a helper that comes late does not end up with them.
  void rethrow() {
    const std::vector<std::exception_ptr> errors = std::move(errors_);
    for (const std::exception_ptr& error : errors) {
      if (error != nullptr) std::rethrow_exception(error);
    }
  }

 private:
  const uint32_t count_;
  const std::function<void(uint32_t)>& task_;
  std::atomic<uint32_t> next_{0};
  std::vector<std::exception_ptr> errors_;
  std::mutex mutex_;
  std::condition_variable all_ended_;
  uint32_t ended_ = 0;
};

}  // namespace

void run_in_parallel(Executor* executor, uint32_t count,
                     const std::function<void(uint32_t)>& task) {
  const auto work = std::make_shared<SharedWork>(count, task);
  if (executor != nullptr && count > 1) {
    const uint32_t helpers = std::min(count, executor->threads()) - 1;
    try {
      for (uint32_t h = 0; h < helpers; ++h) {
        if (!executor->submit_if_idle([work] { work->help(); })) break;
      }
    } catch (const std::bad_alloc&) {
      // With fewer helpers, then: those who help already read what this call holds.
    }
  }
  work->help();
  work->wait();
  work->rethrow();
}

void split_in_parallel(Executor* executor, size_t rows, size_t least,
                       const std::function<void(size_t, size_t)>& task) {
  const size_t most = executor == nullptr ? 1 : executor->threads();
  const size_t parts = std::clamp<size_t>(rows / least, 1, most);
  run_in_parallel(executor, static_cast<uint32_t>(parts), [&](uint32_t part) {
    const size_t begin = rows * part / parts;
    task(begin, rows * (part + 1) / parts - begin);
  });
}

}  // namespace feedrank
