#pragma once

#include <cstdint>
#include <limits>

namespace feedrank {

/// Shape of two towers and how they are trained.
struct TwoTowerOptions {
  uint32_t dimensions = 64;  // of the vectors that both towers answer with
  uint32_t hidden = 128;     // width of each tower's hidden layer
  uint32_t max_reads = 20;   // a reader's last reads that the user tower sees
  uint32_t attributes = 0;   // numbers an item
  uint32_t categories = 0;   // hashed names an item: author, labels, topics
  uint32_t context = 0;      // numbers a query
  uint32_t id_buckets = 32'768;
  uint32_t category_buckets = 4'096;
  /// Whether vectors have length 1, so that dots are cosines and are divided by the temperature.
  bool unit_vectors = true;
  double temperature = 0.1;
  /// Of the decay that scores are trained under, exp(−age / τ); infinity for none.
  double tau_ms = std::numeric_limits<double>::infinity();
  /// Share of a batch's items that are seen without their id, so that attributes alone suffice.
  double id_dropout = 0.3;
  double learning_rate = 0.002;           // of the dense parameters (Adam)
  double embedding_learning_rate = 0.05;  // of the hashed embeddings (Adagrad)
  uint32_t batch_size = 256;
  uint64_t seed = 1;
};

}  // namespace feedrank
