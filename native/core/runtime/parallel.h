#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "runtime/executor.h"

namespace feedrank {

/// Calls `task(0)` to `task(count − 1)`, each once and in any order, and returns when all of them
/// have ended. The calling thread works through them by itself; threads of the executor that are
/// idle take some of them off it. It waits for nobody who has not begun one, so where no thread is
/// idle this is a plain loop, and it may be called from the executor's own threads. Without an
/// executor it is a plain loop, too.
///
/// Of the exceptions that tasks throw, the one of the lowest task is thrown on, after all have
/// ended.
void run_in_parallel(Executor* executor, uint32_t count, const std::function<void(uint32_t)>& task);

/// Splits `rows` rows into even parts of at least `least`, one for each thread of the executor at
/// most, and calls `task(begin, count)` for each as run_in_parallel does; for all of them at once
/// where there are fewer, or no executor.
void split_in_parallel(Executor* executor, size_t rows, size_t least,
                       const std::function<void(size_t begin, size_t count)>& task);

}  // namespace feedrank
