#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "training/click_calibration.h"
#include "training/ranker_training_options.h"
#include "training/ranking_lists.h"

namespace feedrank {

/// Trains one ranking network on lists by AdamW (Loshchilov and Hutter 2019), in short steps, so
/// that whoever else needs the thread can have it in between. The same data, options and seed give
/// the same parameters. For one thread at a time.
class RankerTrainer {
 public:
  RankerTrainer(std::shared_ptr<const RankingLists> data, RankerTrainingOptions options);
  /// Starts from another's network, of which it keeps the most important units of each hidden layer
  /// where its own architecture is narrower (see pruning.h), and all but `sparsity` of the weights.
  /// Throws INVALID_ARGUMENT where the architectures differ otherwise, or a layer would be wider.
  RankerTrainer(std::shared_ptr<const RankingLists> data, RankerTrainingOptions options,
                const RankerTrainer& start);
  ~RankerTrainer();

  RankerTrainer(const RankerTrainer&) = delete;
  RankerTrainer& operator=(const RankerTrainer&) = delete;

  struct Progress {
    uint32_t epoch = 0;    // that the steps belong to; 0 for the first
    uint32_t batches = 0;  // of the epoch, so far
    double loss = 0;       // means over the epoch so far
    double penalty = 0;    // of the fairness regularizer, without its weight
    uint64_t rows = 0;     // of the epoch, so far
    bool epoch_ended = false;
  };

  /// Learns from batches until the time is over or an epoch ends, from one batch at least. Throws
  /// TRAINING_DIVERGED, naming epoch and batch, where a loss or a gradient is NaN or infinite.
  Progress step(std::chrono::milliseconds budget);

  /// Outputs of the heads for the rows of lists [first, end), row-major, without dropout.
  std::vector<float> score(size_t first, size_t end) const;

  /// Remembers the parameters as they are.
  void keep();
  /// Goes back to the remembered parameters.
  void restore();

 private:
  friend std::string export_ranker(const std::vector<const RankerTrainer*>& members,
                                   const ClickCalibration& calibration);

  // LibTorch's headers stay out of this one.
  class State;
  const std::unique_ptr<State> state_;
};

/// The bytes of a TorchScript file whose heads are the means of the members', and with a
/// calibration a last head `click_probability`. The members are of one architecture, at least one.
std::string export_ranker(const std::vector<const RankerTrainer*>& members,
                          const ClickCalibration& calibration);

}  // namespace feedrank
