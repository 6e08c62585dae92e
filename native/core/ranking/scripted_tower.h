#pragma once

#include <torch/script.h>

#include <mutex>
#include <string>
#include <vector>

namespace feedrank {

/// A tower's frozen TorchScript module, shared by all threads: each call borrows a clone of its
/// own, so that no two threads run one module at once.
class ScriptedTower {
 public:
  /// Reads a TorchScript file from memory. Throws MODEL_CORRUPT; `argument` names the file.
  ScriptedTower(const std::string& bytes, std::string argument);

  ScriptedTower(const ScriptedTower&) = delete;
  ScriptedTower& operator=(const ScriptedTower&) = delete;

  /// Writes rows × dimensions values. Throws MODEL_SHAPE where the module fails or answers in
  /// another shape; what it answers may still be NaN.
  void forward(const std::vector<c10::IValue>& inputs, size_t rows, size_t dimensions, float* out);

  /// Makes so many clones ready: a module's first passes are slow.
  void warm_up(uint32_t clones, const std::vector<c10::IValue>& inputs, size_t rows,
               size_t dimensions);

 private:
  torch::jit::Module borrow();

  const std::string argument_;
  std::mutex mutex_;
  torch::jit::Module prototype_;  // before its clones, which must not outlive it
  std::vector<torch::jit::Module> idle_;
};

}  // namespace feedrank
