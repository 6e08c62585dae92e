#include "training/ranker_trainer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/optim/adamw.h>
#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "error.h"
#include "training/distillation_loss.h"
#include "training/fairness_regularizer.h"
#include "training/pruning.h"
#include "training/ranker_network.h"
#include "training/ranking_loss.h"

namespace feedrank {
namespace {

constexpr size_t kScoredRows = 8192;

/// Enough that the most important units are the same from draw to draw, and a fraction of a second.
constexpr int kImportanceBatches = 16;

/// The profiling executor would compile for the shapes of the first batches, in this thread's share
/// of the process; plain interpretation is as fast here, and the same from run to run.
class PlainInterpretation {
 public:
  PlainInterpretation() : guard_(false) {}

 private:
  torch::jit::GraphOptimizerEnabledGuard guard_;
};

/// Mean and 1 / standard deviation of each feature over the rows of lists [first, end).
FeatureScaling measure_scaling(const RankingLists& data, size_t first, size_t end) {
  const size_t width = data.features();
  const size_t begin_row = data.begin_of(first);
  const size_t end_row = end == 0 ? 0 : data.end_of(end - 1);
  const auto rows = static_cast<double>(end_row - begin_row);
  std::vector<double> sums(width, 0.0);
  std::vector<double> squares(width, 0.0);
  for (size_t row = begin_row; row < end_row; ++row) {
    for (size_t f = 0; f < width; ++f) sums[f] += double{data.row(row)[f]};
  }
  for (double& sum : sums) sum /= rows;
  for (size_t row = begin_row; row < end_row; ++row) {
    for (size_t f = 0; f < width; ++f) {
      const double residual = double{data.row(row)[f]} - sums[f];
      squares[f] += residual * residual;
    }
  }
  FeatureScaling scaling;
  for (size_t f = 0; f < width; ++f) {
    const double deviation = std::sqrt(squares[f] / rows);
    const bool varies = deviation > 1e-6 * std::max(1.0, std::abs(sums[f]));
    scaling.mean.push_back(static_cast<float>(sums[f]));
    scaling.scale.push_back(varies ? static_cast<float>(1 / deviation) : 0.0F);
  }
  return scaling;
}

}  // namespace

class RankerTrainer::State {
 public:
  State(std::shared_ptr<const RankingLists> data, RankerTrainingOptions options);

  void start_from(const State& other);
  Progress step(std::chrono::milliseconds budget);
  std::vector<float> score(size_t first, size_t end) const;
  void keep();
  void restore();

  const RankerArchitecture& architecture() const { return options_.architecture; }
  const torch::jit::Module& network() const { return network_; }

 private:
  at::Tensor outputs_of(const at::Tensor& features, std::vector<at::Tensor> masks) const;
  std::vector<at::Tensor> importance_of(const State& other);
  void hold_pruned();
  std::vector<at::Tensor> dropout_masks(int64_t rows);
  void learn(const ListBatch& batch);
  double learning_rate() const;
  void begin_epoch();
  [[noreturn]] void diverged(const char* what) const;

  const std::shared_ptr<const RankingLists> data_;
  const RankerTrainingOptions options_;
  at::Generator generator_;
  mutable torch::jit::Module network_;
  at::Tensor position_bias_;
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> kept_;
  std::vector<at::Tensor> pruned_;  // 0 where a parameter is held at 0; undefined: nowhere
  std::unique_ptr<torch::optim::AdamW> optimizer_;
  std::vector<int64_t> order_;
  uint32_t batches_an_epoch_ = 0;
  Progress progress_;
  bool started_ = false;
};

RankerTrainer::State::State(std::shared_ptr<const RankingLists> data, RankerTrainingOptions options)
    : data_(std::move(data)),
      options_(std::move(options)),
      generator_(at::detail::createCPUGenerator(options_.seed)) {
  if (options_.first_list >= options_.end_list || options_.end_list > data_->size()) {
    throw Error("INVALID_ARGUMENT", "lists", "lists: expected at least one to learn from");
  }
  const std::vector<float>& taught = options_.teacher_scores;
  if (!taught.empty() && (taught.size() != data_->end_of(data_->size() - 1) ||
                          !std::all_of(taught.begin(), taught.end(),
                                       [](float score) { return std::isfinite(score); }))) {
    throw Error("INVALID_ARGUMENT", "teacherScores",
                "teacherScores: expected a finite score for each row of the lists");
  }
  const size_t lists = options_.end_list - options_.first_list;
  batches_an_epoch_ = static_cast<uint32_t>(std::max<size_t>(1, lists / options_.batch_lists));
  network_ = make_trainable_network(options_.architecture,
                                    measure_scaling(*data_, options_.first_list, options_.end_list),
                                    generator_);
  for (const at::Tensor& parameter : network_.parameters()) parameters_.push_back(parameter);
  std::vector<at::Tensor> trained = parameters_;
  if (options_.positions) {
    position_bias_ = at::zeros({ListBatch::kLastPosition + 1}, at::kFloat).requires_grad_(true);
    trained.push_back(position_bias_);
  }
  optimizer_ = std::make_unique<torch::optim::AdamW>(
      std::move(trained),
      torch::optim::AdamWOptions(options_.learning_rate).weight_decay(options_.weight_decay));
  keep();
}

void RankerTrainer::State::start_from(const State& other) {
  const PlainInterpretation plain;
  copy_most_important(other.architecture(), other.network_, importance_of(other), architecture(),
                      network_);
  if (options_.sparsity > 0) {
    pruned_ = magnitude_masks(architecture(), network_, options_.sparsity);
    hold_pruned();
  }
  keep();
}

std::vector<at::Tensor> RankerTrainer::State::importance_of(const State& other) {
  const auto lists = static_cast<int64_t>(options_.end_list - options_.first_list);
  const int64_t size = std::min<int64_t>(options_.batch_lists, lists);
  return unit_importance(
      other.architecture(), kImportanceBatches, [&](const std::vector<at::Tensor>& masks) {
        const at::Tensor drawn = at::randperm(lists, generator_, at::kLong).narrow(0, 0, size) +
                                 static_cast<int64_t>(options_.first_list);
        const std::vector<int64_t> chosen(drawn.data_ptr<int64_t>(),
                                          drawn.data_ptr<int64_t>() + size);
        const ListBatch batch = gather_lists(*data_, chosen, options_.negatives, generator_);
        const at::Tensor outputs = other.outputs_of(batch.features, masks);
        return ranking_loss(options_.loss, outputs.select(1, 0), batch);
      });
}

void RankerTrainer::State::hold_pruned() {
  const at::NoGradGuard no_gradients;
  for (size_t i = 0; i < pruned_.size(); ++i) {
    if (pruned_[i].defined()) parameters_[i].mul_(pruned_[i]);
  }
}

RankerTrainer::Progress RankerTrainer::State::step(std::chrono::milliseconds budget) {
  const PlainInterpretation plain;
  const auto until = std::chrono::steady_clock::now() + budget;
  if (!started_ || progress_.epoch_ended) begin_epoch();
  const size_t size = std::min<size_t>(options_.batch_lists, order_.size());
  do {
    const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(progress_.batches * size);
    const std::vector<int64_t> lists(begin, begin + static_cast<std::ptrdiff_t>(size));
    learn(gather_lists(*data_, lists, options_.negatives, generator_, options_.teacher_scores));
    progress_.epoch_ended = ++progress_.batches == batches_an_epoch_;
  } while (!progress_.epoch_ended && std::chrono::steady_clock::now() < until);
  Progress told = progress_;
  told.loss /= told.batches;
  told.penalty /= told.batches;
  return told;
}

void RankerTrainer::State::begin_epoch() {
  progress_ = {.epoch = started_ ? progress_.epoch + 1 : 0};
  started_ = true;
  const auto lists = static_cast<int64_t>(options_.end_list - options_.first_list);
  const at::Tensor shuffled = at::randperm(lists, generator_, at::kLong);
  const auto* at = shuffled.data_ptr<int64_t>();
  order_.assign(at, at + lists);
  for (int64_t& list : order_) list += static_cast<int64_t>(options_.first_list);
}

double RankerTrainer::State::learning_rate() const {
  const double total = double{static_cast<double>(batches_an_epoch_)} * options_.epochs;
  const double done =
      double{static_cast<double>(progress_.epoch)} * batches_an_epoch_ + progress_.batches;
  const double warm_up = std::max(1.0, total / 10);
  if (done < warm_up) return options_.learning_rate * (done + 1) / (warm_up + 1);
  const double share = std::min(1.0, (done - warm_up) / std::max(1.0, total - warm_up));
  return options_.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

void RankerTrainer::State::learn(const ListBatch& batch) {
  static_cast<torch::optim::AdamWOptions&>(optimizer_->param_groups().front().options())
      .lr(learning_rate());
  const at::Tensor outputs = outputs_of(batch.features, dropout_masks(batch.features.size(0)));
  const at::Tensor score = outputs.select(1, 0);
  const at::Tensor shown =
      position_bias_.defined() ? score + position_bias_.index_select(0, batch.positions) : score;
  const at::Tensor ranking = ranking_loss(options_.loss, shown, batch);
  at::Tensor loss = ranking;
  at::Tensor composed = score;
  if (options_.architecture.heads.size() > 1) {
    const at::Tensor dwell = outputs.select(1, 1);
    composed = score + options_.score_dwell * dwell;
    if (batch.read_rows.size(0) > 0) {
      const at::Tensor error = dwell.index_select(0, batch.read_rows) - batch.log_seconds;
      loss = loss + options_.dwell_weight * (error * error).mean();
    }
  }
  if (options_.distillation_weight > 0 && batch.teacher_scores.defined()) {
    const double share = options_.distillation_weight;
    loss = (1 - share) * loss + share * distillation_loss(composed, batch);
  }
  if (options_.fairness_weight > 0) {
    const at::Tensor penalty = fairness_penalty(options_.fairness, composed, batch);
    loss = loss + options_.fairness_weight * penalty;
    progress_.penalty += penalty.item<double>();
  }
  if (!std::isfinite(loss.item<double>())) diverged("loss");
  optimizer_->zero_grad();
  loss.backward();
  for (const at::Tensor& parameter : parameters_) {
    if (parameter.grad().defined() && !at::isfinite(parameter.grad()).all().item<bool>()) {
      diverged("gradient");
    }
  }
  optimizer_->step();
  hold_pruned();
  progress_.loss += ranking.item<double>();
  progress_.rows += static_cast<uint64_t>(batch.features.size(0));
}

void RankerTrainer::State::diverged(const char* what) const {
  throw Error("TRAINING_DIVERGED", "",
              "training: the " + std::string(what) + " of epoch " +
                  std::to_string(progress_.epoch + 1) + ", batch " +
                  std::to_string(progress_.batches + 1) +
                  " is NaN or infinite; a lower learning rate may help");
}

std::vector<at::Tensor> RankerTrainer::State::dropout_masks(int64_t rows) {
  std::vector<at::Tensor> masks;
  if (options_.dropout <= 0) return masks;
  const double kept = 1 - options_.dropout;
  for (const uint32_t width : options_.architecture.hidden) {
    masks.push_back(at::empty({rows, static_cast<int64_t>(width)}, at::kFloat)
                        .bernoulli_(kept, generator_)
                        .div_(kept));
  }
  return masks;
}

at::Tensor RankerTrainer::State::outputs_of(const at::Tensor& features,
                                            std::vector<at::Tensor> masks) const {
  return network_.forward({features, c10::List<at::Tensor>(masks)}).toTensor();
}

std::vector<float> RankerTrainer::State::score(size_t first, size_t end) const {
  const PlainInterpretation plain;
  const c10::InferenceMode inference;
  std::vector<float> scores;
  if (first >= end) return scores;
  const size_t end_row = data_->end_of(end - 1);
  for (size_t row = data_->begin_of(first); row < end_row; row += kScoredRows) {
    const size_t rows = std::min(kScoredRows, end_row - row);
    const at::Tensor features =
        at::from_blob(const_cast<float*>(data_->row(row)),
                      {static_cast<int64_t>(rows), data_->features()}, at::kFloat);
    const at::Tensor outputs = outputs_of(features, {}).contiguous();
    scores.insert(scores.end(), outputs.data_ptr<float>(),
                  outputs.data_ptr<float>() + outputs.numel());
  }
  return scores;
}

void RankerTrainer::State::keep() {
  kept_.clear();
  for (const at::Tensor& parameter : parameters_) kept_.push_back(parameter.detach().clone());
}

void RankerTrainer::State::restore() {
  const at::NoGradGuard no_gradients;
  for (size_t i = 0; i < parameters_.size(); ++i) parameters_[i].copy_(kept_[i]);
}

RankerTrainer::RankerTrainer(std::shared_ptr<const RankingLists> data,
                             RankerTrainingOptions options)
    : state_(std::make_unique<State>(std::move(data), std::move(options))) {}

RankerTrainer::RankerTrainer(std::shared_ptr<const RankingLists> data,
                             RankerTrainingOptions options, const RankerTrainer& start)
    : RankerTrainer(std::move(data), std::move(options)) {
  state_->start_from(*start.state_);
}

RankerTrainer::~RankerTrainer() = default;

RankerTrainer::Progress RankerTrainer::step(std::chrono::milliseconds budget) {
  return state_->step(budget);
}

std::vector<float> RankerTrainer::score(size_t first, size_t end) const {
  return state_->score(first, end);
}

void RankerTrainer::keep() { state_->keep(); }

void RankerTrainer::restore() { state_->restore(); }

std::string export_ranker(const std::vector<const RankerTrainer*>& members,
                          const ClickCalibration& calibration) {
  std::vector<torch::jit::Module> networks;
  for (const RankerTrainer* member : members) networks.push_back(member->state_->network());
  return serialize_module(
      make_ranker_module(members.front()->state_->architecture(), networks, calibration));
}

}  // namespace feedrank
