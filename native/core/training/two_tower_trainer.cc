#include "training/two_tower_trainer.h"

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/script.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <sstream>

#include "error.h"
#include "training/sampled_softmax.h"
#include "training/two_tower_modules.h"

namespace feedrank {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

template <typename T>
at::Tensor tensor_of(const std::vector<T>& values, at::IntArrayRef shape, at::ScalarType type) {
  return at::from_blob(const_cast<T*>(values.data()), shape, type).clone();
}

std::string saved(const torch::jit::Module& module) {
  torch::jit::Module copy = module.deepcopy();
  for (const auto& parameter : copy.parameters()) parameter.set_requires_grad(false);
  copy.eval();
  std::ostringstream stream(std::ios::binary);
  copy.save(stream);
  return stream.str();
}

}  // namespace

struct TwoTowerTrainer::Towers {
  TwoTowerModules modules;
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> kept;
  std::unique_ptr<torch::optim::Adagrad> embedding_optimizer;
  std::unique_ptr<torch::optim::Adam> dense_optimizer;

  Towers(TwoTowerModules made, const TwoTowerOptions& options) : modules(std::move(made)) {
    std::vector<at::Tensor> embeddings;
    std::vector<at::Tensor> dense;
    for (const torch::jit::Module* module : {&modules.item, &modules.user}) {
      for (const auto& parameter : module->named_parameters()) {
        parameters.push_back(parameter.value);
        const bool table = parameter.name.ends_with("_embedding");
        (table ? embeddings : dense).push_back(parameter.value);
      }
    }
    embedding_optimizer = std::make_unique<torch::optim::Adagrad>(
        embeddings, torch::optim::AdagradOptions(options.embedding_learning_rate));
    dense_optimizer = std::make_unique<torch::optim::Adam>(
        dense, torch::optim::AdamOptions(options.learning_rate));
  }

  at::Tensor loss(const TwoTowerBatch& batch, const TwoTowerOptions& options) {
    const auto n = static_cast<int64_t>(batch.size());
    const auto items = static_cast<int64_t>(batch.items.size());
    const int64_t reads = options.max_reads;
    const at::Tensor vectors =
        modules.item
            .forward({tensor_of(batch.ids, {items}, at::kLong),
                      tensor_of(batch.attributes, {items, options.attributes}, at::kFloat),
                      tensor_of(batch.categories, {items, options.categories}, at::kLong)})
            .toTensor();
    const at::Tensor read_vectors =
        vectors.index_select(0, tensor_of(batch.reads, {n * reads}, at::kLong))
            .reshape({n, reads, options.dimensions});
    const at::Tensor users =
        modules.user
            .forward({read_vectors, tensor_of(batch.read_hours, {n, reads}, at::kFloat),
                      tensor_of(batch.present, {n, reads}, at::kFloat),
                      tensor_of(batch.context, {n, options.context}, at::kFloat)})
            .toTensor();
    const at::Tensor clicked = tensor_of(batch.clicked, {n}, at::kLong);
    at::Tensor logits = at::mm(users, vectors.index_select(0, clicked).t());
    const at::Tensor ages = tensor_of(batch.age_hours, {n, n}, at::kFloat);
    if (std::isfinite(options.tau_ms)) {
      logits = logits * at::exp(ages.clamp_min(0) * (-3'600'000.0 / options.tau_ms));
    }
    if (options.unit_vectors) logits = logits / options.temperature;
    return sampled_softmax_loss(logits, tensor_of(batch.log_q, {n}, at::kFloat), clicked, ages);
  }
};

TwoTowerTrainer::TwoTowerTrainer(const TwoTowerOptions& options)
    : options_(options), data_(options), random_(options.seed) {}

TwoTowerTrainer::~TwoTowerTrainer() = default;

void TwoTowerTrainer::begin(uint32_t training) {
  data_.split(training);
  order_.resize(training);
  std::iota(order_.begin(), order_.end(), 0U);
  towers_ = std::make_unique<Towers>(
      make_two_towers(options_, data_.attribute_scaling(), data_.context_scaling(), random_),
      options_);
  keep();
}

TwoTowerTrainer::Towers& TwoTowerTrainer::towers() const {
  if (towers_ != nullptr) return *towers_;
  throw Error("INVALID_ARGUMENT", "trainer", "trainer: expected one whose training has begun");
}

uint32_t TwoTowerTrainer::batches_of(uint32_t examples) const {
  return (examples + options_.batch_size - 1) / options_.batch_size;
}

void TwoTowerTrainer::shuffle() {
  // Fisher and Yates; the standard library's own shuffle may differ from platform to platform.
  for (size_t i = order_.size(); i > 1; --i) {
    const auto other = static_cast<size_t>(uniform(random_) * static_cast<double>(i));
    std::swap(order_[i - 1], order_[other]);
  }
}

TwoTowerTrainer::Progress TwoTowerTrainer::step(double milliseconds) {
  Towers& towers = this->towers();
  // The executor that learns from runs would compile the pass anew for shapes that change.
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  const at::AutoGradMode with_gradients(true);
  const Clock::time_point begin = Clock::now();
  Progress progress;
  progress.batches = batches_of(data_.training_count());
  do {
    if (next_batch_ == 0) {
      ++epoch_;
      shuffle();
    }
    const size_t from = size_t{next_batch_} * options_.batch_size;
    const size_t count = std::min<size_t>(options_.batch_size, order_.size() - from);
    next_batch_ = (next_batch_ + 1) % progress.batches;
    progress.epoch = epoch_;
    progress.batch = static_cast<uint32_t>(from / options_.batch_size) + 1;
    progress.ended = next_batch_ == 0;
    const at::Tensor loss = towers.loss(
        data_.training_batch(std::span(order_).subspan(from, count), random_), options_);
    const auto value = loss.item<double>();
    if (!std::isfinite(value)) {
      restore();
      throw Error("TRAINING_DIVERGED", "learningRate",
                  "learningRate: the loss is not finite in epoch " + std::to_string(epoch_) +
                      ", batch " + std::to_string(progress.batch) +
                      "; expected data and rates under which it stays so");
    }
    towers.embedding_optimizer->zero_grad();
    towers.dense_optimizer->zero_grad();
    loss.backward();
    towers.embedding_optimizer->step();
    towers.dense_optimizer->step();
    progress.loss_sum += value * static_cast<double>(count);
    progress.examples += static_cast<uint32_t>(count);
  } while (!progress.ended && milliseconds_since(begin) < milliseconds);
  return progress;
}

TwoTowerTrainer::Progress TwoTowerTrainer::validate(double milliseconds) {
  Towers& towers = this->towers();
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  const at::NoGradGuard without_gradients;
  const Clock::time_point begin = Clock::now();
  Progress progress;
  progress.epoch = epoch_;
  progress.batches = batches_of(data_.validation_count());
  if (progress.batches == 0) {
    throw Error("INVALID_ARGUMENT", "trainer",
                "trainer: expected examples that validate, got none");
  }
  do {
    const uint32_t from = data_.training_count() + next_validation_ * options_.batch_size;
    std::vector<uint32_t> examples(std::min(options_.batch_size, data_.example_count() - from));
    std::iota(examples.begin(), examples.end(), from);
    progress.batch = ++next_validation_;
    progress.ended = next_validation_ == progress.batches;
    if (progress.ended) next_validation_ = 0;
    const auto value = towers.loss(data_.validation_batch(examples), options_).item<double>();
    progress.loss_sum += value * static_cast<double>(examples.size());
    progress.examples += static_cast<uint32_t>(examples.size());
  } while (!progress.ended && milliseconds_since(begin) < milliseconds);
  if (!std::isfinite(progress.loss_sum)) {
    throw Error("TRAINING_DIVERGED", "learningRate",
                "learningRate: the validation loss is not finite after epoch " +
                    std::to_string(epoch_) + ", batch " + std::to_string(progress.batch));
  }
  return progress;
}

void TwoTowerTrainer::keep() {
  Towers& towers = this->towers();
  towers.kept.clear();
  for (const at::Tensor& parameter : towers.parameters) {
    towers.kept.push_back(parameter.detach().clone());
  }
}

void TwoTowerTrainer::restore() {
  Towers& towers = this->towers();
  const at::NoGradGuard without_gradients;
  for (size_t i = 0; i < towers.kept.size(); ++i) towers.parameters[i].copy_(towers.kept[i]);
}

std::string TwoTowerTrainer::item_tower() const { return saved(towers().modules.item); }

std::string TwoTowerTrainer::user_tower() const { return saved(towers().modules.user); }

}  // namespace feedrank
