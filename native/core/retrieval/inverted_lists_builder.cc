#include "retrieval/inverted_lists_builder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

#include "retrieval/scan_coding.h"

namespace feedrank {
namespace {

/// Fewer items a list make the lists more alike to their items, and a search compares a query with
/// more centroids.
constexpr uint32_t kItemsPerList = 352;
constexpr uint32_t kSamplesPerList = 64;
constexpr uint32_t kRounds = 8;
/// Items of one step.
constexpr uint32_t kStep = 2048;
/// Places that are written for the first time in one step: the system takes a while to hand out
/// memory, and items that are placed one after another lie all over it.
constexpr uint32_t kClearedTogether = 16384;

uint32_t lists_for(uint32_t items) {
  return std::max(1U, items / kItemsPerList / kScanBlock) * kScanBlock;
}

}  // namespace

InvertedListsBuilder::InvertedListsBuilder(std::shared_ptr<ScanSegment> segment,
                                           const ScanKernel& kernel, KnownCentroids known)
    : segment_(std::move(segment)),
      lists_(std::make_unique<InvertedLists>()),
      known_(std::move(known)),
      nearest_(kernel, segment_->dimensions()),
      samples_(std::min(segment_->size(), lists_for(segment_->size()) * kSamplesPerList)),
      list_of_(segment_->size()) {
  lists_->groups = (segment_->dimensions() + kScanGroup - 1) / kScanGroup;
  if (known_.centroids != nullptr) {
    begin_assigning();
  } else {
    begin_learning();
  }
}

uint32_t InvertedListsBuilder::sampled(uint32_t number) const {
  return static_cast<uint32_t>(uint64_t{number} * segment_->size() / samples_);
}

void InvertedListsBuilder::begin_learning() {
  phase_ = Phase::kLearn;
  const uint32_t count = lists_for(segment_->size());
  learned_ = std::make_shared<Centroids>(count, segment_->dimensions());
  known_ = {learned_, 0};
  sums_.assign(size_t{count} * segment_->dimensions(), 0);
  counts_.assign(count, 0);
  std::vector<int8_t> codes(size_t{lists_->groups} * kScanGroup);
  for (uint32_t c = 0; c < count; ++c) {
    segment_->read_codes(sampled(static_cast<uint32_t>(random_() % samples_)), codes);
    learned_->set(c, std::vector<float>(codes.begin(), codes.end()));
  }
}

void InvertedListsBuilder::begin_assigning() {
  phase_ = Phase::kAssign;
  list_.assign(known_.centroids->count(), {});
  cosines_ = 0;
}

bool InvertedListsBuilder::fits() const {
  // Of what centroids were not learned from they are a little further away.
  constexpr double kShare = 0.95;
  return learned_ != nullptr || cosines_ / segment_->size() >= kShare * known_.mean_cosine;
}

bool InvertedListsBuilder::step() {
  const uint32_t begin = next_;
  const auto take = [&](uint32_t count, uint32_t most) {
    next_ = std::min(count, begin + most);
    return next_ == count;
  };
  switch (phase_) {
    case Phase::kLearn: {
      const bool all = take(samples_, kStep);
      learn(begin, next_);
      if (!all) return true;
      finish_learning();
      if (++round_ == kRounds) begin_assigning();
      break;
    }
    case Phase::kAssign: {
      const bool all = take(segment_->size(), kStep);
      assign(begin, next_);
      if (!all) return true;
      if (fits()) {
        lay_out();
        phase_ = Phase::kClear;
      } else {
        begin_learning();
      }
      break;
    }
    case Phase::kClear: {
      const bool all = take(static_cast<uint32_t>(lists_->places), kClearedTogether);
      clear(begin, next_);
      if (!all) return true;
      phase_ = Phase::kPlace;
      break;
    }
    case Phase::kPlace: {
      const bool all = take(segment_->size(), kStep);
      for (uint32_t position = begin; position < next_; ++position) place(position);
      if (!all) return true;
      finish();
      phase_ = Phase::kDone;
      break;
    }
    case Phase::kDone:
      return false;
  }
  next_ = 0;
  return phase_ != Phase::kDone;
}

void InvertedListsBuilder::learn(uint32_t begin, uint32_t end) {
  const uint32_t dimensions = segment_->dimensions();
  std::array<uint32_t, NearestCentroids::kTogether> positions;
  std::array<NearestCentroids::Nearest, NearestCentroids::kTogether> nearest;
  for (uint32_t s = begin; s < end; s += NearestCentroids::kTogether) {
    const uint32_t count = std::min(NearestCentroids::kTogether, end - s);
    for (uint32_t i = 0; i < count; ++i) positions[i] = sampled(s + i);
    nearest_.find(*known_.centroids, *segment_, std::span(positions).first(count), nearest);
    for (uint32_t i = 0; i < count; ++i) {
      if (nearest[i].code_norm == 0) continue;
      const double length = 1 / nearest[i].code_norm;
      double* sum = sums_.data() + size_t{nearest[i].centroid} * dimensions;
      const std::span<const int8_t> codes = nearest_.codes(i);
      for (uint32_t d = 0; d < dimensions; ++d) sum[d] += length * codes[d];
      ++counts_[nearest[i].centroid];
    }
  }
}

void InvertedListsBuilder::finish_learning() {
  const uint32_t dimensions = segment_->dimensions();
  std::vector<int8_t> codes(size_t{lists_->groups} * kScanGroup);
  std::vector<float> direction(codes.size());
  for (uint32_t c = 0; c < learned_->count(); ++c) {
    if (counts_[c] > 0) {
      const double* sum = sums_.data() + size_t{c} * dimensions;
      for (uint32_t d = 0; d < dimensions; ++d) direction[d] = static_cast<float>(sum[d]);
    } else {
      // What attracted nothing starts again somewhere else.
      segment_->read_codes(sampled(static_cast<uint32_t>(random_() % samples_)), codes);
      std::copy(codes.begin(), codes.end(), direction.begin());
    }
    learned_->set(c, direction);
  }
  std::fill(sums_.begin(), sums_.end(), 0);
  std::fill(counts_.begin(), counts_.end(), 0);
}

void InvertedListsBuilder::assign(uint32_t begin, uint32_t end) {
  std::array<uint32_t, NearestCentroids::kTogether> positions;
  std::array<NearestCentroids::Nearest, NearestCentroids::kTogether> nearest;
  for (uint32_t p = begin; p < end; p += NearestCentroids::kTogether) {
    const uint32_t count = std::min(NearestCentroids::kTogether, end - p);
    for (uint32_t i = 0; i < count; ++i) positions[i] = p + i;
    nearest_.find(*known_.centroids, *segment_, std::span(positions).first(count), nearest);
    for (uint32_t i = 0; i < count; ++i) {
      List& list = list_[nearest[i].centroid];
      list_of_[p + i] = nearest[i].centroid;
      ++list.items;
      cosines_ += nearest[i].cosine;
      // The item's own direction differs from its codes', by Cauchy and Schwarz.
      const double residual = segment_->units()[(p + i) / ScanSegment::kUnit].residual;
      const double norm = nearest[i].code_norm;
      const double deviation = residual < norm ? std::asin(residual / norm)
                               : residual > 0  ? std::numbers::pi
                                               : 0;
      list.radius = std::max(list.radius, std::acos(nearest[i].cosine) + deviation);
    }
  }
}

void InvertedListsBuilder::lay_out() {
  InvertedLists& lists = *lists_;
  if (learned_ != nullptr) known_.mean_cosine = cosines_ / segment_->size();
  lists.centroids = known_.centroids;
  lists.first_unit.reserve(list_.size() + 1);
  uint32_t blocks = 0;
  for (List& list : list_) {
    list.next = blocks * kScanBlock;
    lists.first_unit.push_back(static_cast<uint32_t>(lists.units.size()));
    const uint32_t end = blocks + (list.items + kScanBlock - 1) / kScanBlock;
    while (blocks < end) {
      InvertedLists::Unit unit;
      unit.first_block = blocks;
      unit.blocks = std::min(InvertedLists::kUnit / kScanBlock, end - blocks);
      lists.units.push_back(unit);
      blocks += unit.blocks;
    }
  }
  lists.first_unit.push_back(static_cast<uint32_t>(lists.units.size()));
  const size_t places = size_t{blocks} * kScanBlock;
  lists.places = places;
  lists.block_newest.resize(blocks);
  lists.codes = AlignedArray<uint8_t>(places * lists.groups * kScanGroup);
  lists.scales = AlignedArray<float>(places);
  lists.positions = AlignedArray<uint32_t>(places);
  lists.publish_times = AlignedArray<int64_t>(places);
}

void InvertedListsBuilder::clear(uint32_t begin, uint32_t end) {
  InvertedLists& lists = *lists_;
  const size_t bytes = size_t{lists.groups} * kScanGroup;
  std::memset(lists.codes.get() + begin * bytes, kScanOffset, (end - begin) * bytes);
  std::fill(lists.scales.get() + begin, lists.scales.get() + end, 0.0F);
  std::fill(lists.positions.get() + begin, lists.positions.get() + end, InvertedLists::kNoPosition);
  std::fill(lists.publish_times.get() + begin, lists.publish_times.get() + end, 0);
}

void InvertedListsBuilder::place(uint32_t position) {
  constexpr uint32_t kGroupBytes = kScanBlock * kScanGroup;
  InvertedLists& lists = *lists_;
  const uint32_t number = list_of_[position];
  const uint32_t at = list_[number].next++;
  const uint32_t first_unit = lists.first_unit[number];
  const uint32_t in_list = at - lists.units[first_unit].first_block * kScanBlock;
  std::array<int8_t, 64> few;
  std::vector<int8_t> many;
  std::span<int8_t> codes(few);
  const size_t length = size_t{lists.groups} * kScanGroup;
  if (length > few.size()) {
    many.resize(length);
    codes = many;
  }
  segment_->read_codes(position, codes.first(length));
  uint8_t* out = lists.codes.get() + size_t{at / kScanBlock} * lists.groups * kGroupBytes +
                 size_t{at % kScanBlock} * kScanGroup;
  int32_t squares = 0;
  for (uint32_t g = 0; g < lists.groups; ++g) {
    for (uint32_t d = 0; d < kScanGroup; ++d) {
      const int32_t code = codes[g * kScanGroup + d];
      out[g * kGroupBytes + d] = static_cast<uint8_t>(code + kScanOffset);
      squares += code * code;
    }
  }
  const float scale = segment_->scale(position);
  lists.scales[at] = scale;
  lists.positions[at] = position;
  const int64_t time = segment_->publish_time(position);
  lists.publish_times[at] = time;
  if (at % kScanBlock == 0) lists.block_newest[at / kScanBlock] = time;
  ScanSegment::Unit& unit = lists.units[first_unit + in_list / InvertedLists::kUnit].bounds;
  unit.newest = std::max(unit.newest, time);
  unit.oldest = std::min(unit.oldest, time);
  const ScanSegment::Unit& before = segment_->units()[position / ScanSegment::kUnit];
  const double code_norm = std::sqrt(static_cast<double>(squares));
  unit.residual = std::max(unit.residual, before.residual);
  unit.code_norm = std::max(unit.code_norm, code_norm);
  unit.coded_norm = std::max(unit.coded_norm, scale * code_norm);
  // As ScanSegment::copy says.
  unit.norm = std::max(unit.norm, std::min(before.norm, scale * (code_norm + before.residual)));
}

void InvertedListsBuilder::finish() {
  InvertedLists& lists = *lists_;
  std::vector<double> norms;
  for (uint32_t l = 0; l < list_.size(); ++l) {
    const List& list = list_[l];
    double norm = 0;
    for (uint32_t u = lists.first_unit[l]; u < lists.first_unit[l + 1]; ++u) {
      norm = std::max(norm, lists.units[u].bounds.norm);
    }
    norms.push_back(norm);
    lists.largest_norm = std::max(lists.largest_norm, norm);
    // As the segment is, each list is newest first.
    lists.newest.push_back(list.items == 0 ? std::numeric_limits<int64_t>::min()
                                           : lists.units[lists.first_unit[l]].bounds.newest);
    lists.radius.push_back(rounded_up(std::min(list.radius, std::numbers::pi)));
  }
  for (const double norm : norms) {
    lists.relative_norm.push_back(norm == 0 ? 0.0F : rounded_up(norm / lists.largest_norm));
  }
  sums_ = {};
  list_of_ = {};
}

}  // namespace feedrank
