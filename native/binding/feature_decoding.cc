#include "feature_decoding.h"

#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include "error.h"

namespace feedrank::binding {
namespace {

/// Position of a name among those that there are, or INVALID_ARGUMENT.
template <size_t N>
size_t position(const std::array<std::string_view, N>& names, const std::string& name,
                const std::string& argument) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] == name) return i;
  }
  throw Error("INVALID_ARGUMENT", argument, argument + ": unknown name '" + name + "'");
}

/// In the order of FeatureSource.
constexpr std::array<std::string_view, kFeatureSources> kSources{"counter",
                                                                 "click-through-rate",
                                                                 "mean-dwell",
                                                                 "completion-rate",
                                                                 "dwell-against-expected",
                                                                 "hide-rate",
                                                                 "report-rate",
                                                                 "trend",
                                                                 "age",
                                                                 "time-since-first-seen",
                                                                 "column",
                                                                 "segment-impressions",
                                                                 "segment-clicks",
                                                                 "segment-click-through-rate",
                                                                 "context",
                                                                 "dot",
                                                                 "already-read",
                                                                 "times-shown",
                                                                 "time-since-shown",
                                                                 "history-length",
                                                                 "co-read-sum",
                                                                 "co-read-max",
                                                                 "co-read-current",
                                                                 "follow-ups",
                                                                 "follow-up-share"};
constexpr std::array<std::string_view, 2> kTransformations{"identity", "log1p"};
constexpr std::array<std::string_view, 3> kReferences{"none", "pool", "list"};
constexpr std::array<std::string_view, kCounters> kCounterNames{
    "impressions", "clicks",  "dwell-seconds", "dwells",
    "completion",  "scrolls", "hides",         "reports"};

/// How many things there are that `index` and `second` may point to; 0 where they say nothing.
struct Bounds {
  size_t index = 1;
  size_t second = 0;
};

Bounds bounds_of(const Feature& feature, const CatalogSchema& schema,
                 const Engagement::Options& options, uint32_t context_values) {
  const size_t half_lives = options.half_lives_ms.size();
  switch (feature.source) {
    case FeatureSource::kCounter:
    case FeatureSource::kClickThroughRate:
    case FeatureSource::kMeanDwell:
    case FeatureSource::kCompletion:
    case FeatureSource::kHideRate:
    case FeatureSource::kReportRate:
      return {half_lives, 0};
    case FeatureSource::kDwellAgainstExpected:
      return {half_lives, schema.columns.size()};
    case FeatureSource::kTrend:
      return {half_lives, half_lives};
    case FeatureSource::kSegmentImpressions:
    case FeatureSource::kSegmentClicks:
    case FeatureSource::kSegmentClickThroughRate:
      return {options.segment_half_lives_ms.size(), options.segmentations.size()};
    case FeatureSource::kColumn:
      return {schema.columns.size(), 0};
    case FeatureSource::kContext:
      return {context_values, 0};
    case FeatureSource::kDot:
      return {schema.spaces.size(), 0};
    default:
      return {};
  }
}

Feature read_feature(const ObjectReader& item, const CatalogSchema& schema,
                     const Engagement::Options& options, uint32_t context_values) {
  const std::string& path = item.path();
  Feature feature;
  feature.source = static_cast<FeatureSource>(position(kSources, item.text("source"), path));
  feature.transformation =
      static_cast<Transformation>(position(kTransformations, item.text("transformation"), path));
  feature.reference =
      static_cast<ReferenceSet>(position(kReferences, item.text("reference"), path));
  feature.index = item.count("index");
  feature.missing = item.number("missing");
  if (!std::isfinite(feature.missing)) {
    throw Error("INVALID_ARGUMENT", path, path + ".missing: expected a finite number");
  }
  if (feature.source == FeatureSource::kCounter) {
    feature.counter = static_cast<Counter>(position(kCounterNames, item.text("counter"), path));
  }
  if (item.has("second")) feature.second = item.count("second");
  const Bounds bounds = bounds_of(feature, schema, options, context_values);
  const bool needs_second =
      bounds.second > 0 && feature.source != FeatureSource::kDwellAgainstExpected;
  if (feature.index >= bounds.index ||
      (feature.second == Feature::kNoSecond ? needs_second : feature.second >= bounds.second)) {
    throw Error("INVALID_ARGUMENT", path, path + ": expected what the feed or its catalog has");
  }
  if (feature.reference == ReferenceSet::kPool && !of_item_alone(feature.source)) {
    throw Error("INVALID_ARGUMENT", path,
                path + ": expected a feature of the item alone, which can be relative to the pool");
  }
  return feature;
}

Smoothing read_smoothing(const ObjectReader& reader) {
  return {reader.number("clickRate"),    reader.number("clickWeight"),
          reader.number("dwellSeconds"), reader.number("dwellWeight"),
          reader.number("completion"),   reader.number("completionWeight"),
          reader.number("hideRate"),     reader.number("reportRate"),
          reader.number("healthWeight"), reader.number("trendClicks"),
          reader.number("coReadWeight"), reader.number("followUpWeight")};
}

}  // namespace

FeatureList read_feature_list(const ObjectReader& reader, const CatalogSchema& schema,
                              const Engagement::Options& options, uint32_t context_values) {
  FeatureList list;
  for_each_object(reader.array("features"), reader.path() + ".features",
                  [&](const ObjectReader& item) {
                    list.features.push_back(read_feature(item, schema, options, context_values));
                  });
  list.smoothing = read_smoothing(reader.object("smoothing"));
  return list;
}

std::vector<UserVectors> read_user_vectors(const Napi::Array& array, const CatalogSchema& schema) {
  std::vector<UserVectors> vectors;
  for_each_object(array, "userVector", [&](const ObjectReader& item) {
    const uint32_t space = item.count("space");
    if (space >= schema.spaces.size()) {
      throw Error("UNKNOWN_SPACE", item.path(), item.path() + ": no such space");
    }
    UserVectors user{space, schema.spaces[space].dimensions, item.floats("values")};
    if (user.values.empty() || user.values.size() % user.dimensions != 0) {
      throw Error("DIMENSION_MISMATCH", item.path(),
                  item.path() + ": expected a multiple of " + std::to_string(user.dimensions) +
                      " values, got " + std::to_string(user.values.size()));
    }
    vectors.push_back(std::move(user));
  });
  return vectors;
}

}  // namespace feedrank::binding
