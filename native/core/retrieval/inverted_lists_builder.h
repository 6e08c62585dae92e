#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "retrieval/inverted_lists.h"
#include "retrieval/nearest_centroids.h"

namespace feedrank {

struct KnownCentroids {
  std::shared_ptr<const Centroids> centroids;  // null for none
  double mean_cosine = 0;                      // of what they were learned from
};

/// Puts a segment's items into lists by k-means on directions (spherical k-means, Dhillon and Modha
/// 2001), little by little, so that whoever needs the thread does not wait for long. The same
/// segment gives the same lists on every processor. Where centroids are given that fit the items as
/// well as those that they were learned from, they are taken.
class InvertedListsBuilder {
 public:
  InvertedListsBuilder(std::shared_ptr<ScanSegment> segment, const ScanKernel& kernel,
                       KnownCentroids known = {});

  /// Works on some items, about a millisecond's worth; says whether there is more to do.
  bool step();

  const std::shared_ptr<ScanSegment>& segment() const { return segment_; }
  /// To be called once, when no more is to be done.
  std::unique_ptr<const InvertedLists> take() { return std::move(lists_); }
  /// What the next segment may be given.
  const KnownCentroids& known() const { return known_; }

 private:
  enum class Phase : uint8_t { kLearn, kAssign, kClear, kPlace, kDone };

  struct List {
    uint32_t items = 0;
    double radius = 0;  // radians
    uint32_t next = 0;  // the place of the next item
  };

  uint32_t sampled(uint32_t number) const;
  void begin_learning();
  void begin_assigning();
  /// Whether the centroids that were given will do.
  bool fits() const;
  void learn(uint32_t begin, uint32_t end);
  void finish_learning();
  void assign(uint32_t begin, uint32_t end);
  void lay_out();
  /// Empties places.
  void clear(uint32_t begin, uint32_t end);
  void place(uint32_t position);
  void finish();

  const std::shared_ptr<ScanSegment> segment_;
  std::unique_ptr<InvertedLists> lists_;
  KnownCentroids known_;
  std::shared_ptr<Centroids> learned_;  // null while those that were given are tried
  NearestCentroids nearest_;
  std::mt19937_64 random_{1};
  Phase phase_ = Phase::kLearn;
  uint32_t samples_;
  uint32_t round_ = 0;
  uint32_t next_ = 0;              // sample or position
  std::vector<double> sums_;       // [list][dimension], of directions
  std::vector<uint32_t> counts_;   // [list]
  std::vector<uint32_t> list_of_;  // [position]
  std::vector<List> list_;
  double cosines_ = 0;  // the sum of what was assigned
};

}  // namespace feedrank
