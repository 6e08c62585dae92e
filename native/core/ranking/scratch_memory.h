#pragma once

#include <cstddef>
#include <memory>

namespace feedrank {

/// Memory for what a model computes on its way, kept from pass to pass. From the system, a pass of
/// some megabytes gets pages anew each time, which takes as long as a quarter of the pass itself.
/// It holds as much as the passes so far held at once.
class ScratchMemory {
 public:
  ScratchMemory();

  /// While it lives, large tensors that LibTorch makes on this thread are made from the memory.
  /// They may outlive both.
  class Use {
   public:
    explicit Use(ScratchMemory& memory);
    ~Use();

    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
  };

 private:
  class Pool;
  friend class ScratchAllocator;

  std::shared_ptr<Pool> pool_;
};

}  // namespace feedrank
