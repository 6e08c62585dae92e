#include "features/feature_groups.h"

#include <map>

#include "catalog/item_columns.h"

namespace feedrank {

FeatureGroups::FeatureGroups(const FeatureList& list) {
  std::map<Feature, uint32_t> known;
  for (uint32_t column = 0; column < list.features.size(); ++column) {
    if (add_to_run(list.features[column], column)) continue;
    Feature base = list.features[column];
    base.reference = ReferenceSet::kNone;
    const auto [found, is_new] = known.emplace(base, static_cast<uint32_t>(bases.size()));
    if (is_new) bases.push_back(base);
    switch (list.features[column].reference) {
      case ReferenceSet::kNone:
        absolute.push_back({found->second, column});
        break;
      case ReferenceSet::kPool:
        relative_to_pool.push_back({found->second, column});
        break;
      case ReferenceSet::kList:
        relative_to_list.push_back({found->second, column});
        break;
    }
  }
  for (const Feature& feature : bases) {
    switch (feature.source) {
      case FeatureSource::kCounter:
        (counted_often(feature.counter) ? counted : quality) = true;
        break;
      case FeatureSource::kDwellAgainstExpected:
        counted = true;
        totals = true;
        break;
      case FeatureSource::kClickThroughRate:
      case FeatureSource::kMeanDwell:
      case FeatureSource::kTrend:
      case FeatureSource::kTimeSinceFirstSeen:
        counted = true;
        break;
      case FeatureSource::kCompletion:
        quality = true;
        break;
      case FeatureSource::kHideRate:
      case FeatureSource::kReportRate:
        counted = true;
        quality = true;
        break;
      case FeatureSource::kSegmentImpressions:
      case FeatureSource::kSegmentClicks:
      case FeatureSource::kSegmentClickThroughRate:
        segments[feature.second] = true;
        break;
      case FeatureSource::kAlreadyRead:
      case FeatureSource::kTimesShown:
      case FeatureSource::kTimeSinceShown:
      case FeatureSource::kHistoryLength:
        reader = reader_parts.history = true;
        break;
      case FeatureSource::kCoReadSum:
      case FeatureSource::kCoReadMax:
        reader = reader_parts.co_reads = true;
        break;
      case FeatureSource::kCoReadCurrent:
        reader = reader_parts.co_reads_of_page = true;
        break;
      case FeatureSource::kFollowUps:
      case FeatureSource::kFollowUpShare:
        reader = reader_parts.follow_ups = true;
        break;
      case FeatureSource::kAge:
      case FeatureSource::kColumn:
      case FeatureSource::kContext:
      case FeatureSource::kDot:
        break;
    }
  }
}

bool FeatureGroups::add_to_run(const Feature& feature, uint32_t column) {
  if (feature.source != FeatureSource::kColumn || feature.reference != ReferenceSet::kNone ||
      feature.transformation != Transformation::kIdentity) {
    return false;
  }
  const auto ends_before = [&](const Run& run) {
    return run.source + run.missing.size() == feature.index &&
           run.column + run.missing.size() == column;
  };
  if (runs.empty() || !ends_before(runs.back())) runs.push_back({feature.index, column, {}, {}});
  runs.back().missing.push_back(feature.missing);
  runs.back().narrow_missing.push_back(to_float32(feature.missing));
  return true;
}

}  // namespace feedrank
