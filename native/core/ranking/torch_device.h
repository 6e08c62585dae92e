#pragma once

#include <torch/script.h>

#include <memory>
#include <string>

namespace feedrank {

/// The device of that name, "cpu" or "cuda". Throws DEVICE_UNAVAILABLE where this LibTorch finds
/// none, INVALID_ARGUMENT for another name.
c10::Device torch_device(const std::string& name);

/// Memory of the processor that copies to and from the device go through: pinned for CUDA, which
/// then reads and writes it while the thread goes on; ordinary memory otherwise.
at::Tensor host_staging(c10::Device device, at::IntArrayRef shape, c10::ScalarType type);

/// While it lives, what the calling thread runs on a CUDA device goes to a stream of its own, so
/// that threads do not wait for one another's work. On the CPU it does nothing.
class OwnStream {
 public:
  explicit OwnStream(c10::Device device);
  ~OwnStream();

  /// Waits until the device has done what the thread gave to the stream.
  void synchronise() const;

  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;

 private:
  struct Guard;
  std::unique_ptr<Guard> guard_;
};

}  // namespace feedrank
