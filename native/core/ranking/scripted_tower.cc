#include "ranking/scripted_tower.h"

#include <cstring>
#include <sstream>
#include <utility>

#include "error.h"
#include "ranking/frozen_module.h"
#include "ranking/model_backend.h"
#include "ranking/torch_error.h"

namespace feedrank {

ScriptedTower::ScriptedTower(const std::string& bytes, std::string argument)
    : argument_(std::move(argument)) {
  try {
    std::istringstream stream(bytes, std::ios::binary);
    torch::jit::Module module = torch::jit::load(stream, c10::Device(c10::kCPU));
    module.eval();
    prototype_ = frozen_module(module);
  } catch (const std::exception& error) {
    throw Error("MODEL_CORRUPT", argument_,
                argument_ + ": expected a TorchScript file that LibTorch " + libtorch_version() +
                    " can load: " + first_line(error));
  }
}

torch::jit::Module ScriptedTower::borrow() {
  std::scoped_lock lock(mutex_);
  if (idle_.empty()) return prototype_.clone();
  torch::jit::Module module = std::move(idle_.back());
  idle_.pop_back();
  return module;
}

void ScriptedTower::forward(const std::vector<c10::IValue>& inputs, size_t rows, size_t dimensions,
                            float* out) {
  const c10::InferenceMode inference;
  torch::jit::Module module = borrow();
  at::Tensor answer;
  try {
    answer = module.forward(inputs).toTensor().to(at::kFloat).contiguous();
  } catch (const std::exception& error) {
    throw Error("MODEL_SHAPE", argument_,
                argument_ + ": forward failed on the inputs that its description names: " +
                    first_line(error));
  }
  if (answer.dim() != 2 || answer.size(0) != static_cast<int64_t>(rows) ||
      answer.size(1) != static_cast<int64_t>(dimensions)) {
    std::ostringstream shape;
    shape << answer.sizes();
    throw Error("MODEL_SHAPE", argument_,
                argument_ + ": expected forward to return [" + std::to_string(rows) + ", " +
                    std::to_string(dimensions) + "], got " + shape.str());
  }
  std::memcpy(out, answer.data_ptr<float>(), rows * dimensions * sizeof(float));
  std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(module));
}

void ScriptedTower::warm_up(uint32_t clones, const std::vector<c10::IValue>& inputs, size_t rows,
                            size_t dimensions) {
  constexpr int kPasses = 3;
  std::vector<float> out(rows * dimensions);
  std::vector<torch::jit::Module> ready;
  for (uint32_t i = 0; i < clones; ++i) {
    for (int pass = 0; pass < kPasses; ++pass) forward(inputs, rows, dimensions, out.data());
    // Out of the way, so that the next round makes another clone.
    std::scoped_lock lock(mutex_);
    ready.push_back(std::move(idle_.back()));
    idle_.pop_back();
  }
  std::scoped_lock lock(mutex_);
  for (torch::jit::Module& module : ready) idle_.push_back(std::move(module));
}

}  // namespace feedrank
