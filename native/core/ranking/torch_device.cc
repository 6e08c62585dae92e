#include "ranking/torch_device.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <map>

#include "error.h"

namespace feedrank {

c10::Device torch_device(const std::string& name) {
  if (name == "cpu") return c10::Device(c10::kCPU);
  if (name == "cuda") {
    if (at::globalContext().hasCUDA()) return c10::Device(c10::kCUDA, 0);
    throw Error("DEVICE_UNAVAILABLE", "device",
                "device: 'cuda' was asked for, but this LibTorch finds no CUDA device; use 'cpu'");
  }
  throw Error("INVALID_ARGUMENT", "device", "device: expected 'cpu' or 'cuda', got '" + name + "'");
}

at::Tensor host_staging(c10::Device device, at::IntArrayRef shape, c10::ScalarType type) {
  return at::empty(shape, at::TensorOptions().dtype(type).pinned_memory(device.is_cuda()));
}

struct OwnStream::Guard {
  explicit Guard(c10::Stream stream) : guard(stream) {}
  c10::StreamGuard guard;
};

OwnStream::OwnStream(c10::Device device) {
  if (!device.is_cuda()) return;
  // Taken through LibTorch's own interface of devices, so that this compiles without CUDA's
  // headers.
  thread_local std::map<c10::DeviceIndex, c10::Stream> streams;
  auto found = streams.find(device.index());
  if (found == streams.end()) {
    const c10::impl::VirtualGuardImpl implementation(device.type());
    found = streams.emplace(device.index(), implementation.getStreamFromGlobalPool(device)).first;
  }
  guard_ = std::make_unique<Guard>(found->second);
}

OwnStream::~OwnStream() = default;

void OwnStream::synchronise() const {
  if (guard_ != nullptr) guard_->guard.current_stream().synchronize();
}

}  // namespace feedrank
