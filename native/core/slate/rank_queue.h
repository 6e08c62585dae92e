#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/executor.h"
#include "slate/request.h"

namespace feedrank {

/// The requests of one plan that wait for a thread. Whoever takes one takes others along, where
/// they are there already, and retrieves for all of them in one pass over the catalog; nobody waits
/// for others to come. Shared by its own queued turns.
///
/// Each request has one turn in the executor's queue, in the order in which they came, and each
/// turn runs one request: one whose candidates have been retrieved, or else the first that waits.
class RankQueue : public std::enable_shared_from_this<RankQueue> {
 public:
  /// `job` runs the request; it must not throw. Whoever submits keeps the executor alive. Throws
  /// OVERLOADED where the executor's queue is full.
  void submit(Executor& executor, std::shared_ptr<Request> request, Executor::Job job);

 private:
  struct Entry {
    std::shared_ptr<Request> request;
    Executor::Job job;
  };

  void take_turn(Executor& executor);
  /// The first that waits and those that it takes along.
  std::vector<Entry> take_first(const Executor& executor);

  std::mutex mutex_;
  std::deque<Entry> waiting_;
  std::deque<Executor::Job> ready_;
  size_t idle_turns_ = 0;  // that came while all requests were being retrieved for
};

}  // namespace feedrank
