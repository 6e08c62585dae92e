#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace feedrank {

/// A multi-layer perceptron over one row of features, optionally with cross layers before it
/// (Wang et al. 2021, "DCN V2"): standardise, clamp to ±5, cross, then linear layers with ReLU.
struct RankerArchitecture {
  uint32_t features = 0;
  std::vector<uint32_t> hidden{128, 64};  // widths; empty: one linear layer
  uint32_t cross_layers = 0;
  std::vector<std::string> heads{"click"};  // outputs, in order
};

enum class RankingLoss : uint8_t {
  /// ln(1 + e^−(s_clicked − s_unclicked)), averaged over the pairs of a list and then over lists:
  /// RankNet (Burges et al. 2005), BPR (Rendle et al. 2009).
  kPairwise,
  /// The same, each pair weighted with how much nDCG would change if the two swapped places:
  /// LambdaRank (Burges 2010, MSR-TR-2010-82).
  kLambdaRank,
  /// −ln of the clicked rows' softmax in the list, over at most so many unclicked rows as the batch
  /// was gathered with: ListNet's top-one form (Cao et al. 2007).
  kSoftmax,
};

enum class FairnessRegularizer : uint8_t {
  /// |correlation| between belonging to a group and the margin of a clicked over an unclicked row
  /// of one list (Beutel et al. 2019, arXiv 1903.00780). Where lists hold rows of several groups,
  /// over pairs of two groups: the group is the clicked row's. Where a list is of one group, the
  /// reader's, over all pairs.
  kPairwise,
  /// Demographic disparity: √(d² + e²) / pooled standard deviation, where d is the mean score of
  /// the
  /// group − the mean score of the others, and e its standard error with lists as clusters (Liang
  /// and
  /// Zeger 1986): the root mean square of d over other lists like these. Where a list is of one
  /// group,
  /// the reader's, e² is what the lists' own levels scatter by, which no order in a list needs.
  kDisparity,
};

struct RankerTrainingOptions {
  RankerArchitecture architecture;  // heads: "click", and "dwell" where reading times are learnt
  RankingLoss loss = RankingLoss::kSoftmax;
  uint32_t negatives = 64;    // kSoftmax: unclicked rows of a list that take part
  double dwell_weight = 0.1;  // of the squared error of the dwell head, beside the ranking loss
  double score_dwell = 0;     // weight of the dwell head in the score that fairness looks at
  double dropout = 0.3;
  double learning_rate = 1e-3;  // the highest of the schedule
  double weight_decay = 1e-4;
  uint32_t batch_lists = 256;
  uint32_t epochs = 20;  // of the schedule: a tenth to warm up, then down to 0 along a cosine
  uint64_t seed = 1;
  bool positions = false;  // learn, and leave out of the module, how much a place adds to a score
  FairnessRegularizer fairness = FairnessRegularizer::kPairwise;
  double fairness_weight = 0;
  /// A teacher's score of each row of the lists, finite; empty: there is none.
  std::vector<float> teacher_scores{};
  double distillation_weight = 0;  // share of the teacher in the loss, 0 to 1
  /// Share of each linear layer's weights, those nearest to 0, that a trainer which starts from
  /// another's network sets to 0 and holds there. The head keeps all of its weights.
  double sparsity = 0;
  size_t first_list = 0;  // what is learnt from: [first_list, end_list)
  size_t end_list = 0;
};

}  // namespace feedrank
