#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace feedrank {

/// A few dedicated threads behind a bounded queue, shared by everything that a process runs. Node's
/// own thread pool is left alone: inference there starves file and DNS calls. The threads run at a
/// lower priority than the JavaScript thread, so that they cannot delay it on a small machine.
class Executor {
 public:
  using Job = std::function<void()>;

  struct Options {
    uint32_t threads = 2;
    uint32_t queue_limit = 1024;
    /// Runs first on each thread.
    std::function<void()> on_thread_start{};
    /// How far the threads stand back for others, as `nice` has it.
    int nice = 5;
  };

  explicit Executor(Options options);
  /// Drops what is queued and waits for what runs.
  ~Executor();

  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  uint32_t threads() const { return static_cast<uint32_t>(threads_.size()); }
  uint32_t queue_limit() const { return options_.queue_limit; }
  size_t queued() const;
  /// Threads that would take one more job at once.
  size_t idle() const;

  /// Throws OVERLOADED where the queue is full. Jobs must not throw.
  void submit(Job job);

  /// Takes the job only where a thread is idle and nothing that is queued will take it; says
  /// whether it did. Such a job delays nobody who came before it.
  bool submit_if_idle(const Job& job);

  /// For a job that was taken up before and had to wait: it comes first, whatever the limit is.
  void resubmit(Job job);

 private:
  friend class Strand;

  /// For the next job of a strand, which was accepted before: not subject to the limit. It takes
  /// turns with what else is queued, so that a write waits for a job or two and not for all the
  /// requests that came before it.
  void submit_strand(Job job);
  size_t waiting() const { return queue_.size() + strands_.size(); }
  Job take();
  void work();
  void stop();

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  std::deque<Job> strands_;  // at most one job a strand
  bool strand_is_next_ = true;
  size_t idle_ = 0;  // threads that wait for a job, those among them that have been woken too
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

/// Runs its jobs one at a time in the order they came: what writes go through, so that the same
/// events in the same order give the same bits. Shared by its own queued jobs. Whoever submits
/// keeps the executor alive; a strand that owned it could end up joining the thread that it runs
/// on.
class Strand : public std::enable_shared_from_this<Strand> {
 public:
  explicit Strand(Executor& executor) : executor_(executor) {}

  /// Throws OVERLOADED where the strand holds as many jobs as the executor's queue may.
  void submit(Executor::Job job);

 private:
  void run_one();

  Executor& executor_;
  std::mutex mutex_;
  std::deque<Executor::Job> queue_;
  bool scheduled_ = false;
};

}  // namespace feedrank
