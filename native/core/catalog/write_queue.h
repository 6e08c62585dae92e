#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "catalog/catalog.h"
#include "runtime/executor.h"

namespace feedrank {

/// The order of a catalog's writes, and of what else must come between them. Behind each write it
/// goes on with tidying the catalog: whoever waits for the write has been told by then, and the
/// next write waits for a small part alone. What is left when no more writes come is done in turn
/// with other jobs. Whoever submits keeps the executor alive.
class WriteQueue : public std::enable_shared_from_this<WriteQueue> {
 public:
  WriteQueue(Executor& executor, std::shared_ptr<Catalog> catalog);

  /// Both throw OVERLOADED where as many jobs wait as the executor's queue may hold. Jobs must not
  /// throw.
  void submit(Executor::Job job) { strand_->submit(std::move(job)); }
  void submit_write(Executor::Job write);

 private:
  void tidy();

  const std::shared_ptr<Catalog> catalog_;
  const std::shared_ptr<Strand> strand_;
  std::atomic<uint32_t> waiting_{0};  // writes
};

}  // namespace feedrank
