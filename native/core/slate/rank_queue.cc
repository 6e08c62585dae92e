#include "slate/rank_queue.h"

#include <algorithm>
#include <utility>

#include "slate/generate_together.h"

namespace feedrank {

void RankQueue::submit(Executor& executor, std::shared_ptr<Request> request, Executor::Job job) {
  // Held meanwhile, so that the turn finds its request.
  std::scoped_lock lock(mutex_);
  executor.submit([self = shared_from_this(), &executor] { self->take_turn(executor); });
  waiting_.push_back({std::move(request), std::move(job)});
}

std::vector<RankQueue::Entry> RankQueue::take_first(const Executor& executor) {
  const Request& first = *waiting_.front().request;
  size_t count = 1;
  if (waiting_.size() > 1 && first.controller()) {
    count = first.controller()->together(first.promise(), first.elapsed_ms(),
                                         {waiting_.size(), executor.threads()});
  }
  const auto end = waiting_.begin() + static_cast<ptrdiff_t>(count);
  std::vector<Entry> taken(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return taken;
}

void RankQueue::take_turn(Executor& executor) {
  std::vector<Entry> taken;
  Executor::Job job;
  {
    std::scoped_lock lock(mutex_);
    if (!ready_.empty()) {
      job = std::move(ready_.front());
      ready_.pop_front();
    } else if (!waiting_.empty()) {
      taken = take_first(executor);
    } else {
      ++idle_turns_;
      return;
    }
  }
  if (!taken.empty()) {
    if (taken.size() > 1) {
      std::vector<std::shared_ptr<Request>> requests;
      for (const Entry& entry : taken) requests.push_back(entry.request);
      generate_together(requests, executor);
    }
    job = std::move(taken.front().job);
    size_t turns = 0;
    {
      std::scoped_lock lock(mutex_);
      for (size_t i = 1; i < taken.size(); ++i) ready_.push_back(std::move(taken[i].job));
      turns = std::min(idle_turns_, taken.size() - 1);
      idle_turns_ -= turns;
    }
    for (size_t t = 0; t < turns; ++t) {
      executor.resubmit([self = shared_from_this(), &executor] { self->take_turn(executor); });
    }
  }
  job();
}

}  // namespace feedrank
