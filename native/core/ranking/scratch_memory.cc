#include "ranking/scratch_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/aligned_array.h"

namespace feedrank {

/// Blocks that no tensor uses. A tensor may be freed by any thread, and after the memory is gone.
class ScratchMemory::Pool : public std::enable_shared_from_this<Pool> {
 public:
  void* take(size_t bytes) {
    std::unique_ptr<Block> block = fitting(bytes);
    if (block == nullptr) block = std::make_unique<Block>(bytes);
    block->pool = shared_from_this();
    return block.release()->memory.get();
  }

  /// Says whether the memory is a block's. LibTorch frees some of what it allocates knowing the
  /// address alone, so blocks are found by that.
  static bool give_back(void* memory) {
    Block* const found = blocks().find(memory);
    if (found == nullptr) return false;
    std::unique_ptr<Block> block(found);
    const std::shared_ptr<Pool> pool = std::move(block->pool);
    std::scoped_lock lock(pool->mutex_);
    pool->idle_.push_back(std::move(block));
    return true;
  }

 private:
  struct Block {
    explicit Block(size_t size) : memory(size), bytes(size) { blocks().add(memory.get(), this); }
    ~Block() { blocks().remove(memory.get()); }

    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    AlignedArray<uint8_t> memory;
    size_t bytes;
    std::shared_ptr<Pool> pool;  // only while a tensor uses the block
  };

  /// All blocks of the process.
  class Blocks {
   public:
    void add(void* memory, Block* block) {
      std::scoped_lock lock(mutex_);
      by_address_.emplace(memory, block);
    }
    void remove(void* memory) {
      std::scoped_lock lock(mutex_);
      by_address_.erase(memory);
    }
    Block* find(void* memory) {
      std::scoped_lock lock(mutex_);
      const auto found = by_address_.find(memory);
      return found == by_address_.end() ? nullptr : found->second;
    }

   private:
    std::mutex mutex_;
    std::unordered_map<void*, Block*> by_address_;
  };

  static Blocks& blocks() {
    // Never destroyed: tensors may be freed while the process ends.
    static auto* const all = new Blocks;
    return *all;
  }

  /// The smallest block that is large enough; null where there is none.
  std::unique_ptr<Block> fitting(size_t bytes) {
    std::scoped_lock lock(mutex_);
    auto best = idle_.end();
    for (auto it = idle_.begin(); it != idle_.end(); ++it) {
      if ((*it)->bytes < bytes) continue;
      if (best == idle_.end() || (*it)->bytes < (*best)->bytes) best = it;
    }
    if (best == idle_.end()) return nullptr;
    std::unique_ptr<Block> block = std::move(*best);
    idle_.erase(best);
    return block;
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Block>> idle_;
};

namespace {

/// The pool whose Use lives on this thread.
thread_local void* current_pool = nullptr;

}  // namespace

/// LibTorch's allocator, but for threads that use a scratch memory.
class ScratchAllocator final : public c10::Allocator {
 public:
  /// Puts itself before the allocator that LibTorch has, once a process.
  static void install() {
    static const bool installed = [] {
      source() = c10::GetCPUAllocator();
      // Never destroyed, as blocks are not.
      c10::SetCPUAllocator(new ScratchAllocator);
      return true;
    }();
    (void)installed;
  }

  c10::DataPtr allocate(size_t bytes) override {
    // What is smaller comes from the system without new pages.
    constexpr size_t kLeast = 65'536;
    auto* const pool = static_cast<ScratchMemory::Pool*>(current_pool);
    if (pool == nullptr || bytes < kLeast) return source()->allocate(bytes);
    void* const data = pool->take(bytes);
    // Context and data are the same, as raw_allocate wants it.
    return {data, data, &give_back, c10::Device(c10::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    source()->copy_data(to, from, bytes);
  }

 private:
  static c10::Allocator*& source() {
    static c10::Allocator* allocator = nullptr;
    return allocator;
  }

  static void give_back(void* data) {
    if (!ScratchMemory::Pool::give_back(data)) source()->raw_deleter()(data);
  }
};

ScratchMemory::ScratchMemory() : pool_(std::make_shared<Pool>()) { ScratchAllocator::install(); }

ScratchMemory::Use::Use(ScratchMemory& memory) { current_pool = memory.pool_.get(); }

ScratchMemory::Use::~Use() { current_pool = nullptr; }

}  // namespace feedrank
