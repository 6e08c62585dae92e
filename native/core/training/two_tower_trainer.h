#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "training/two_tower_data.h"

namespace feedrank {

/// Trains an item tower and a user tower on clicks, by in-batch sampled softmax with log-q
/// correction (Yi et al. 2019). Owns its data and its parameters. Work is done in short calls, so
/// that others get their turn on the thread; the result depends on the options and the data alone,
/// not on how the work is cut up. Not thread-safe.
///
/// Moves click-through where readers' interests carry from item to item; costs a request the user
/// tower (some tens of microseconds) and a scan of the space.
class TwoTowerTrainer {
 public:
  /// What one call did.
  struct Progress {
    uint32_t epoch = 0;     // of the last batch, from 1
    uint32_t batch = 0;     // the last one, from 1
    uint32_t batches = 0;   // in an epoch
    uint32_t examples = 0;  // that this call went through
    double loss_sum = 0;    // over those examples
    bool ended = false;     // whether this was the last batch of the epoch
  };

  explicit TwoTowerTrainer(const TwoTowerOptions& options);
  ~TwoTowerTrainer();

  TwoTowerTrainer(const TwoTowerTrainer&) = delete;
  TwoTowerTrainer& operator=(const TwoTowerTrainer&) = delete;

  const TwoTowerOptions& options() const { return options_; }

  /// As TwoTowerData.
  void add(const TwoTowerItems& items) { data_.add(items); }
  void add(const TwoTowerExamples& examples) { data_.add(examples); }

  /// Trains on the first `training` examples, which must be the older ones; the others validate.
  void begin(uint32_t training);

  /// Takes steps for about so long, at least one, and none beyond the end of an epoch. Throws
  /// TRAINING_DIVERGED where the loss is not finite; the parameters stay as they were kept last.
  Progress step(double milliseconds);

  /// The same for the loss of the examples that validate, in their order; the parameters stay as
  /// they are. `ended` tells that all have been gone through; the next call begins anew.
  Progress validate(double milliseconds);

  /// Keeps the parameters, or goes back to those kept last.
  void keep();
  void restore();

  /// The trained modules as TorchScript files.
  std::string item_tower() const;
  std::string user_tower() const;

 private:
  struct Towers;

  Towers& towers() const;
  uint32_t batches_of(uint32_t examples) const;
  void shuffle();

  const TwoTowerOptions options_;
  TwoTowerData data_;
  std::mt19937_64 random_;
  std::vector<uint32_t> order_;  // of the training examples, anew each epoch
  uint32_t epoch_ = 0;
  uint32_t next_batch_ = 0;
  uint32_t next_validation_ = 0;
  std::unique_ptr<Towers> towers_;
};

}  // namespace feedrank
