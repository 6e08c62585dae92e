#include "runtime/process_defaults.h"

#include <atomic>
#include <mutex>

namespace feedrank {
namespace {

struct Shared {
  std::mutex mutex;
  ProcessDefaults defaults;
  std::atomic<uint32_t> version{0};
};

Shared& shared() {
  // Never destroyed: worker threads may end after static destructors have run.
  static auto* const made = new Shared();
  return *made;
}

}  // namespace

ProcessDefaults process_defaults() {
  std::scoped_lock lock(shared().mutex);
  return shared().defaults;
}

uint32_t process_defaults_version() { return shared().version.load(std::memory_order_acquire); }

void set_process_defaults(double budget_ms, double budget_percentile) {
  std::scoped_lock lock(shared().mutex);
  ProcessDefaults& defaults = shared().defaults;
  defaults = {budget_ms, budget_percentile, defaults.version + 1};
  shared().version.store(defaults.version, std::memory_order_release);
}

}  // namespace feedrank
