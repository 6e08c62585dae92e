#include "features/feature_assembler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "features/feature_groups.h"
#include "features/item_signals.h"
#include "features/reader_signals.h"
#include "features/standardisation.h"
#include "retrieval/decay.h"
#include "retrieval/dot_products.h"
#include "runtime/prefetch.h"

namespace feedrank {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kHour = 3'600'000.0;

/// What the features of one request are computed from.
class Assembly {
 public:
  Assembly(const FeatureList& list, const FeatureAssembler::Inputs& inputs,
           std::span<const Row> rows)
      : groups_(list),
        smoothing_(list.smoothing),
        inputs_(inputs),
        reader_({inputs.snapshot, inputs.engagement, inputs.now, inputs.user, inputs.current_item,
                 smoothing_.co_read_weight},
                groups_.reader_parts) {
    const Engagement& engagement = inputs.engagement;
    if (groups_.counted) counted_scan_.emplace(engagement.counters());
    if (groups_.quality) quality_scan_.emplace(engagement.quality());
    if (groups_.totals) totals_ = engagement.totals().read(Engagement::kTotals, inputs.now);
    for (uint32_t s = 0; s < kMaxSegmentations; ++s) {
      if (!groups_.segments[s] || inputs.segments[s] == kNoSegment) continue;
      if (!segment_scan_) segment_scan_.emplace(*engagement.segments());
    }
    reads_slots_ = counted_scan_ || quality_scan_ || segment_scan_ || groups_.reader;
    values_.resize(groups_.bases.size());
    for (const Feature& feature : groups_.bases) {
      if (feature.source != FeatureSource::kDot || dots_.contains(feature.index)) continue;
      dots_.emplace(feature.index, FeatureAssembler::best_dots(inputs, feature.index, rows));
    }
  }

  const FeatureGroups& groups() const { return groups_; }

  /// Brings near what the item's values are computed from.
  void prefetch(Row row) const {
    const Chunk& chunk = inputs_.snapshot.chunk_of(row);
    const uint32_t offset = Snapshot::offset_of(row);
    for (const FeatureGroups::Run& run : groups_.runs) {
      chunk.columns(offset).from(run.source, [&run](const auto* values) {
        feedrank::prefetch(values, run.missing.size() * sizeof(*values));
      });
    }
    feedrank::prefetch(&chunk.publish_time[offset]);
    if (reads_slots_) feedrank::prefetch(&chunk.slot[offset]);
  }

  /// The transformed values of the item in this row, which is the `position`th; one a base.
  const std::vector<double>& values(Row row, size_t position) {
    const Slot slot = reads_slots_ ? inputs_.snapshot.slot(row) : Slot{};
    if (counted_scan_) counted_ = counted_scan_->read(slot, inputs_.now);
    if (quality_scan_) quality_ = quality_scan_->read(slot, inputs_.now);
    for (uint32_t s = 0; segment_scan_ && s < kMaxSegmentations; ++s) {
      if (!groups_.segments[s] || inputs_.segments[s] == kNoSegment) continue;
      segments_[s] =
          segment_scan_->read(slot, inputs_.now, segment_impressions(inputs_.segments[s]));
    }
    if (groups_.reader) of_reader_ = reader_.of(slot);
    const ItemSignals item{inputs_.now,
                           inputs_.snapshot.publish_time(row),
                           counted_,
                           quality_,
                           totals_,
                           inputs_.engagement.counters().half_lives(),
                           inputs_.snapshot.chunk_of(row).columns(Snapshot::offset_of(row))};
    for (size_t b = 0; b < groups_.bases.size(); ++b) {
      const Feature& feature = groups_.bases[b];
      const double value = of_item_alone(feature.source) ? item_value(feature, smoothing_, item)
                                                         : request_value(feature, position);
      values_[b] = transformed(value, feature);
    }
    return values_;
  }

 private:
  double request_value(const Feature& feature, size_t position) const {
    switch (feature.source) {
      case FeatureSource::kContext:
        return inputs_.context[feature.index];
      case FeatureSource::kDot:
        return dots_.at(feature.index)[position];
      case FeatureSource::kSegmentImpressions:
      case FeatureSource::kSegmentClicks:
      case FeatureSource::kSegmentClickThroughRate:
        return segment_value(feature);
      case FeatureSource::kAlreadyRead:
        return of_reader_.read ? 1.0 : 0.0;
      case FeatureSource::kTimesShown:
        return of_reader_.times_shown;
      case FeatureSource::kTimeSinceShown:
        if (of_reader_.times_shown == 0) return kMissing;
        return static_cast<double>(std::max<int64_t>(0, inputs_.now - of_reader_.last_shown)) /
               kHour;
      case FeatureSource::kHistoryLength:
        return reader_.history_length();
      case FeatureSource::kCoReadSum:
        return of_reader_.co_read_sum;
      case FeatureSource::kCoReadMax:
        return of_reader_.co_read_max;
      case FeatureSource::kCoReadCurrent:
        return reader_.has_page() ? of_reader_.co_read_current : kMissing;
      case FeatureSource::kFollowUps:
        return reader_.has_page() ? of_reader_.follow_ups : kMissing;
      case FeatureSource::kFollowUpShare:
        return reader_.has_page() ? of_reader_.follow_ups /
                                        (reader_.clicks_from_page() + smoothing_.follow_up_weight)
                                  : kMissing;
      default:
        return kMissing;
    }
  }

  double segment_value(const Feature& feature) const {
    if (inputs_.segments[feature.second] == kNoSegment) return kMissing;
    const CounterValues& counters = segments_[feature.second];
    const double impressions = counters.at(0, feature.index);
    const double clicks = counters.at(1, feature.index);
    if (feature.source == FeatureSource::kSegmentImpressions) return impressions;
    if (feature.source == FeatureSource::kSegmentClicks) return clicks;
    return click_through_rate(clicks, impressions, smoothing_);
  }

  const FeatureGroups groups_;
  const Smoothing smoothing_;
  const FeatureAssembler::Inputs& inputs_;
  const ReaderSignals reader_;
  std::optional<CounterStore::Scan> counted_scan_;
  std::optional<CounterStore::Scan> quality_scan_;
  std::optional<CounterStore::Scan> segment_scan_;
  bool reads_slots_ = false;
  // Of the item at hand; empty where no feature asks.
  CounterValues counted_;
  CounterValues quality_;
  CounterValues totals_;
  std::array<CounterValues, kMaxSegmentations> segments_;
  ReaderSignals::OfItem of_reader_;
  std::map<uint32_t, std::vector<double>> dots_;  // by space: one a row
  std::vector<double> values_;
};

std::vector<Standardisation> pool_statistics(const FeatureGroups& groups,
                                             const Smoothing& smoothing,
                                             const FeatureAssembler::Inputs& inputs) {
  if (groups.relative_to_pool.empty()) return {};
  std::vector<Feature> features;
  features.reserve(groups.relative_to_pool.size());
  for (const auto& [base, column] : groups.relative_to_pool) {
    features.push_back(groups.bases[base]);
  }
  return inputs.engagement.pool(inputs.now)->statistics(features, smoothing);
}

/// What `transformed` and `to_float32` make of the columns as they are; without a call a value, the
/// compiler takes several at a time.
void copy_run(const FeatureGroups::Run& run, const double* values, float* out) {
  constexpr double kMost = std::numeric_limits<float>::max();
  constexpr double kFinite = std::numeric_limits<double>::max();
  const double* missing = run.missing.data();
  float* to = out + run.column;
  for (size_t i = 0; i < run.missing.size(); ++i) {
    const double found = values[i];
    const double value = std::abs(found) <= kFinite ? found : missing[i];
    const double low = value < -kMost ? -kMost : value;
    to[i] = static_cast<float>(low > kMost ? kMost : low);
  }
}

/// The same of columns that are float32 already, of which only what is missing changes.
void copy_run(const FeatureGroups::Run& run, const float* values, float* out) {
  constexpr float kFinite = std::numeric_limits<float>::max();
  const float* missing = run.narrow_missing.data();
  float* to = out + run.column;
  for (size_t i = 0; i < run.narrow_missing.size(); ++i) {
    to[i] = std::abs(values[i]) <= kFinite ? values[i] : missing[i];
  }
}

}  // namespace

std::vector<double> FeatureAssembler::best_dots(const Inputs& inputs, uint32_t space,
                                                std::span<const Row> rows) {
  const Snapshot& snapshot = inputs.snapshot;
  const auto has_vector = [&](Row row) {
    return snapshot.chunk_of(row).has_vector(space, Snapshot::offset_of(row));
  };
  const auto vector_of = [&](Row row) {
    return snapshot.chunk_of(row).vector(space, Snapshot::offset_of(row));
  };
  std::vector<size_t> known;  // positions of rows that have a vector
  known.reserve(rows.size());
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size()) {
      const Row ahead = rows[i + kAhead];
      snapshot.chunk_of(ahead).prefetch_norm(space, Snapshot::offset_of(ahead));
    }
    if (has_vector(rows[i])) known.push_back(i);
  }
  std::vector<double> best(rows.size(), kMissing);
  for (const UserVectors& given : inputs.user_vectors) {
    if (given.space != space) continue;
    const std::vector<double> users(given.values.begin(), given.values.end());
    for (size_t begin = 0; begin < known.size(); begin += kDotsTogether) {
      const size_t count = std::min(kDotsTogether, known.size() - begin);
      std::array<const float*, kDotsTogether> vectors;
      for (size_t v = 0; v < kDotsTogether; ++v) {
        vectors[v] = vector_of(rows[known[begin + std::min(v, count - 1)]]);
        const size_t ahead = begin + v + 2 * kDotsTogether;
        if (ahead < known.size()) {
          prefetch(vector_of(rows[known[ahead]]), given.dimensions * sizeof(float));
        }
      }
      for (uint32_t u = 0; u < given.count(); ++u) {
        std::array<double, kDotsTogether> dots;
        dot_products(std::span(users).subspan(size_t{u} * given.dimensions, given.dimensions),
                     vectors, dots);
        for (size_t v = 0; v < count; ++v) {
          double& found = best[known[begin + v]];
          if (std::isnan(found) || dots[v] > found) found = dots[v];
        }
      }
    }
  }
  return best;
}

void FeatureAssembler::fill(const FeatureList& list, const Inputs& inputs,
                            std::span<const Row> rows, float* out, size_t stride) {
  if (rows.empty()) return;
  Assembly assembly(list, inputs, rows);
  const FeatureGroups& groups = assembly.groups();
  const std::vector<Standardisation> pool = pool_statistics(groups, list.smoothing, inputs);
  // One column after the other, because statistics are taken of columns.
  std::vector<double> in_list(groups.relative_to_list.size() * rows.size());
  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size()) assembly.prefetch(rows[i + kAhead]);
    const std::vector<double>& values = assembly.values(rows[i], i);
    float* row = out + i * stride;
    const ItemColumns columns =
        inputs.snapshot.chunk_of(rows[i]).columns(Snapshot::offset_of(rows[i]));
    for (const FeatureGroups::Run& run : groups.runs) {
      columns.from(run.source, [&](const auto* values) { copy_run(run, values, row); });
    }
    for (const auto& [base, column] : groups.absolute) row[column] = to_float32(values[base]);
    for (size_t p = 0; p < pool.size(); ++p) {
      const auto& [base, column] = groups.relative_to_pool[p];
      row[column] = to_float32(pool[p].apply(values[base]));
    }
    for (size_t l = 0; l < groups.relative_to_list.size(); ++l) {
      in_list[l * rows.size() + i] = values[groups.relative_to_list[l].base];
    }
  }
  std::vector<double> sorted;
  for (size_t l = 0; l < groups.relative_to_list.size(); ++l) {
    const auto begin = in_list.begin() + static_cast<ptrdiff_t>(l * rows.size());
    sorted.assign(begin, begin + static_cast<ptrdiff_t>(rows.size()));
    const Standardisation statistics = Standardisation::of(sorted);
    for (size_t i = 0; i < rows.size(); ++i) {
      out[i * stride + groups.relative_to_list[l].column] =
          to_float32(statistics.apply(in_list[l * rows.size() + i]));
    }
  }
}

}  // namespace feedrank
