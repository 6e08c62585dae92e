#pragma once

#include <torch/script.h>

#include <memory>
#include <string>

namespace feedrank {

/// The device of that name, "cpu" or "cuda". Throws DEVICE_UNAVAILABLE where this LibTorch finds
/// none, INVALID_ARGUMENT for another name.
c10::Device torch_device(const std::string& name);

/// While it lives, what the calling thread runs on a CUDA device goes to a stream of its own, so
/// that threads do not wait for one another's work. On the CPU it does nothing.
class OwnStream {
 public:
  explicit OwnStream(c10::Device device);
  ~OwnStream();

  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;

 private:
  struct Guard;
  std::unique_ptr<Guard> guard_;
};

}  // namespace feedrank
