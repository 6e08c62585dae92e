#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ranking/precision.h"

namespace feedrank {

/// What runs a trained ranking model. One instance serves one thread at a time; `clone` makes
/// another that shares nothing mutable with it.
class ModelBackend {
 public:
  virtual ~ModelBackend() = default;

  /// The names of the heads, in the order of the output's columns.
  virtual const std::vector<std::string>& heads() const = 0;

  /// Features [rows × features] row-major to scores [rows × heads] row-major. Throws MODEL_SHAPE
  /// where the model answers in another shape than it did when it was loaded.
  virtual void forward(const float* features, size_t rows, float* scores) = 0;

  virtual std::unique_ptr<ModelBackend> clone() const = 0;
};

struct ModelOptions {
  /// A whole TorchScript file, which the caller has inspected, or with `compiled` an AOTInductor
  /// package, which nobody can: loading either runs code that it holds.
  std::string bytes;
  /// What messages call the file.
  std::string name;
  uint32_t features = 0;
  /// Names of the heads where the model's description gives them; otherwise they are taken from a
  /// dictionary's keys, or numbered.
  std::vector<std::string> heads;
  /// Backends to make ready for threads.
  uint32_t threads = 1;
  Precision precision = Precision::kFloat32;
  /// Whether the bytes are an AOTInductor package. Its precision is its own.
  bool compiled = false;
  /// Where it runs, "cpu" or "cuda". Not for a package, which is compiled for the processor.
  std::string device = "cpu";
};

/// Loads a TorchScript module, freezes it, gives its linear layers to oneDNN, and runs it once.
/// Throws MODEL_CORRUPT, MODEL_SHAPE or PRECISION_UNAVAILABLE.
std::unique_ptr<ModelBackend> load_torchscript(const ModelOptions& options);

/// Loads a TorchScript module onto a LibTorch device, "cuda" or, for tests, "cpu", freezes it there
/// and runs it once. Features and scores pass through memory that a CUDA device reads and writes by
/// itself, on a stream of each thread's own; linear layers are the device's, not oneDNN's. With
/// kBfloat16 those of more than 16 outputs multiply in bfloat16, on any device. Throws
/// DEVICE_UNAVAILABLE where there is no such device, MODEL_CORRUPT, MODEL_SHAPE, or
/// PRECISION_UNAVAILABLE for kInt8.
std::unique_ptr<ModelBackend> load_on_device(const ModelOptions& options);

/// Loads an AOTInductor package (.pt2), native code with the weights in it, and runs it once.
/// Throws MODEL_CORRUPT, MODEL_REFUSED where its metadata does not say that it was exported for any
/// number of rows, this LibTorch and this processor, or MODEL_SHAPE.
std::unique_ptr<ModelBackend> load_compiled(const ModelOptions& options);

/// Whether LibTorch has an operator of this name for tensors, such as "relu".
bool is_operator(const std::string& name);

/// Readies the calling thread for LibTorch: one thread for what it runs, since parallelism comes
/// from requests, and a first product of matrices, which costs tens of milliseconds that no request
/// should pay.
void prepare_torch_thread();

/// The version of the LibTorch that is loaded, such as "2.13.0".
std::string libtorch_version();

}  // namespace feedrank
