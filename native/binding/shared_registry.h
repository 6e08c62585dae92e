#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace feedrank::binding {

/// Core objects of the process by number, so that another worker_thread can attach to one. Holds
/// none of them alive: that is for those who use them.
template <typename T>
class SharedRegistry {
 public:
  static uint32_t add(const std::shared_ptr<T>& object) {
    SharedRegistry& registry = instance();
    std::scoped_lock lock(registry.mutex_);
    std::erase_if(registry.objects_, [](const auto& entry) { return entry.second.expired(); });
    registry.objects_.emplace(++registry.last_, object);
    return registry.last_;
  }

  static std::shared_ptr<T> find(uint32_t number) {
    SharedRegistry& registry = instance();
    std::scoped_lock lock(registry.mutex_);
    const auto found = registry.objects_.find(number);
    return found == registry.objects_.end() ? nullptr : found->second.lock();
  }

 private:
  static SharedRegistry& instance() {
    // Never destroyed, as worker_threads may end after static destructors have run.
    static auto* registry = new SharedRegistry();
    return *registry;
  }

  std::mutex mutex_;
  uint32_t last_ = 0;
  std::unordered_map<uint32_t, std::weak_ptr<T>> objects_;
};

}  // namespace feedrank::binding
