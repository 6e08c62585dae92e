#include "runtime/executor.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "error.h"
#include "runtime/wait.h"

namespace feedrank {
namespace {

Error overloaded(uint32_t limit) {
  return Error("OVERLOADED", "queueLimit",
               "queueLimit: " + std::to_string(limit) +
                   " requests are waiting already; try again later, or raise the limit");
}

/// Below what the thread was born with: in a process that runs under `nice` a fixed priority could
/// stand above the JavaScript thread's, where the system lets a priority rise.
void lower_priority(int nice) {
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  // Failing is harmless: the threads then compete as equals.
  (void)setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + nice);
}

}  // namespace

Executor::Executor(Options options) : options_(std::move(options)) {
  try {
    for (uint32_t i = 0; i < options_.threads; ++i) {
      threads_.emplace_back([this] { work(); });
    }
  } catch (const std::system_error&) {
    stop();
    throw Error("INVALID_ARGUMENT", "threads",
                "threads: the system could not start " + std::to_string(options_.threads) +
                    " threads; configure fewer");
  }
}

Executor::~Executor() { stop(); }

void Executor::stop() {
  std::deque<Job> dropped;
  std::deque<Job> dropped_strands;
  {
    std::scoped_lock lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
    dropped_strands.swap(strands_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

size_t Executor::queued() const {
  std::scoped_lock lock(mutex_);
  return waiting();
}

size_t Executor::idle() const {
  std::scoped_lock lock(mutex_);
  return idle_ > waiting() ? idle_ - waiting() : 0;
}

void Executor::submit(Job job) {
  {
    std::scoped_lock lock(mutex_);
    if (queue_.size() >= options_.queue_limit) throw overloaded(options_.queue_limit);
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
}

bool Executor::submit_if_idle(const Job& job) {
  {
    std::scoped_lock lock(mutex_);
    if (stopping_ || idle_ <= waiting()) return false;
    queue_.push_back(job);
  }
  wake_.notify_one();
  return true;
}

void Executor::resubmit(Job job) {
  {
    std::scoped_lock lock(mutex_);
    queue_.push_front(std::move(job));
  }
  wake_.notify_one();
}

void Executor::submit_strand(Job job) {
  {
    std::scoped_lock lock(mutex_);
    strands_.push_back(std::move(job));
  }
  wake_.notify_one();
}

Executor::Job Executor::take() {
  const bool from_strand = queue_.empty() || (strand_is_next_ && !strands_.empty());
  std::deque<Job>& from = from_strand ? strands_ : queue_;
  strand_is_next_ = !from_strand;
  Job job = std::move(from.front());
  from.pop_front();
  return job;
}

void Executor::work() {
  lower_priority(options_.nice);
  try {
    if (options_.on_thread_start) options_.on_thread_start();
  } catch (const std::exception&) {
    // What readies a thread only makes its first job faster.
  }
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wait_until(wake_, lock, [this] { return stopping_ || waiting() > 0; });
    --idle_;
    if (stopping_) return;
    Job job = take();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

void Strand::submit(Executor::Job job) {
  {
    std::scoped_lock lock(mutex_);
    if (queue_.size() >= executor_.queue_limit()) throw overloaded(executor_.queue_limit());
    queue_.push_back(std::move(job));
    if (scheduled_) return;
    scheduled_ = true;
  }
  executor_.submit_strand([self = shared_from_this()] { self->run_one(); });
}

void Strand::run_one() {
  Executor::Job job;
  {
    std::scoped_lock lock(mutex_);
    job = std::move(queue_.front());
    queue_.pop_front();
  }
  job();
  job = nullptr;
  std::scoped_lock lock(mutex_);
  if (queue_.empty()) {
    scheduled_ = false;
    return;
  }
  executor_.submit_strand([self = shared_from_this()] { self->run_one(); });
}

}  // namespace feedrank
