#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace feedrank {

/// An array for scans and for reading here and there: aligned to a cache line, and where it is
/// large to huge pages, which the system is asked for. Its values are not initialised.
template <typename T>
class AlignedArray {
 public:
  static_assert(std::is_trivially_destructible_v<T>);

  AlignedArray() = default;
  explicit AlignedArray(size_t count) : data_(allocate(count)) {}

  T* get() const { return data_.get(); }
  T& operator[](size_t i) const { return data_.get()[i]; }

 private:
  static constexpr size_t kLine = 64;
  static constexpr size_t kHugePage = size_t{1} << 21;
  static constexpr size_t kWorthWasting = 16;  // this part of an array at most

  struct Delete {
    size_t alignment = kLine;
    void operator()(T* data) const { ::operator delete(data, std::align_val_t{alignment}); }
  };
  using Pointer = std::unique_ptr<T, Delete>;

  static Pointer allocate(size_t count) {
    size_t bytes = count * sizeof(T);
    const size_t alignment = bytes >= kHugePage ? kHugePage : kLine;
    // A last huge page that is nearly needed is taken whole.
    const size_t whole = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    if (alignment == kHugePage && whole - bytes <= bytes / kWorthWasting) bytes = whole;
    void* data = ::operator new(bytes, std::align_val_t{alignment});
    // Only whole huge pages are worth having; where the system has none to give nothing changes.
    if (alignment == kHugePage) (void)madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
    return Pointer(static_cast<T*>(data), Delete{alignment});
  }

  Pointer data_;
};

}  // namespace feedrank
