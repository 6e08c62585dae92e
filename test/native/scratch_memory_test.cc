#include "ranking/scratch_memory.h"

#include <c10/core/CPUAllocator.h>
#include <torch/script.h>

#include <optional>
#include <set>
#include <thread>

#include "check.h"

namespace {

using namespace feedrank;

constexpr int64_t kLarge = 1 << 20;

at::Tensor ones() { return at::ones({kLarge}); }

}  // namespace

TEST_CASE("scratch memory serves pass after pass from the same blocks") {
  ScratchMemory memory;
  std::set<const void*> seen;
  for (int pass = 0; pass < 20; ++pass) {
    const ScratchMemory::Use use(memory);
    const at::Tensor a = ones();
    const at::Tensor b = a + 1;
    const at::Tensor smaller = at::zeros({kLarge / 4});
    EXPECT(a.data_ptr() != b.data_ptr());
    EXPECT(smaller.data_ptr() != a.data_ptr() && smaller.data_ptr() != b.data_ptr());
    EXPECT_EQ((a + b).sum().item<float>(), 3.0F * kLarge);
    for (const at::Tensor& tensor : {a, b, smaller}) seen.insert(tensor.data_ptr());
  }
  // The sum of a and b is a fourth tensor, whose block one of the others may get the next time.
  EXPECT(seen.size() <= 4);
}

TEST_CASE("tensors outlive the scratch memory that they were made from, and die on any thread") {
  std::optional<ScratchMemory> memory{std::in_place};
  at::Tensor kept;
  at::Tensor sent;
  {
    const ScratchMemory::Use use(*memory);
    kept = ones();
    sent = ones();
    (void)ones();
  }
  memory.reset();
  std::thread([tensor = std::move(sent)]() mutable { tensor.reset(); }).join();
  EXPECT_EQ(kept.sum().item<float>(), static_cast<float>(kLarge));
}

TEST_CASE("scratch memory is its thread's own, and is left alone when nobody uses it") {
  ScratchMemory memory;
  const void* block = nullptr;
  {
    const ScratchMemory::Use use(memory);
    block = ones().data_ptr();
    std::thread([block] { EXPECT(ones().data_ptr() != block); }).join();
  }
  EXPECT(ones().data_ptr() != block);
  const ScratchMemory::Use use(memory);
  EXPECT(ones().data_ptr() == block);
}

TEST_CASE("memory that LibTorch frees by its address alone goes back where it came from") {
  void* const before = c10::GetCPUAllocator()->raw_allocate(kLarge);
  ScratchMemory memory;
  void* block = nullptr;
  {
    const ScratchMemory::Use use(memory);
    block = c10::GetCPUAllocator()->raw_allocate(kLarge);
    c10::GetCPUAllocator()->raw_deallocate(before);
  }
  c10::GetCPUAllocator()->raw_deallocate(block);
  const ScratchMemory::Use use(memory);
  EXPECT(c10::GetCPUAllocator()->raw_allocate(kLarge) == block);
  c10::GetCPUAllocator()->raw_deallocate(block);
}
