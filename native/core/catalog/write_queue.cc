#include "catalog/write_queue.h"

#include <exception>
#include <utility>

namespace feedrank {

WriteQueue::WriteQueue(Executor& executor, std::shared_ptr<Catalog> catalog)
    : catalog_(std::move(catalog)), strand_(std::make_shared<Strand>(executor)) {}

void WriteQueue::submit_write(Executor::Job write) {
  ++waiting_;
  try {
    // The queue is not held by its own jobs: those that are dropped would hold one another.
    strand_->submit([queue = weak_from_this(), write = std::move(write)] {
      const auto self = queue.lock();
      if (self != nullptr) --self->waiting_;
      write();
      if (self != nullptr) self->tidy();
    });
  } catch (...) {
    --waiting_;
    throw;
  }
}

void WriteQueue::tidy() {
  const bool untidy = catalog_->tidy();
  const bool unclustered = catalog_->cluster_some();
  // The next write goes on with it.
  if (!(untidy || unclustered) || waiting_ > 0) return;
  try {
    strand_->submit([queue = weak_from_this()] {
      if (const auto self = queue.lock()) self->tidy();
    });
  } catch (const std::exception&) {
    // Then with the next write, too: no search depends on it.
  }
}

}  // namespace feedrank
