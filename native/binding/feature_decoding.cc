#include "feature_decoding.h"

#include <array>
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

constexpr std::array<std::string_view, 8> kSources{"counter",
                                                   "click-through-rate",
                                                   "mean-dwell",
                                                   "age",
                                                   "time-since-first-seen",
                                                   "column",
                                                   "context",
                                                   "dot"};
constexpr std::array<std::string_view, 2> kTransformations{"identity", "log1p"};
constexpr std::array<std::string_view, kCounters> kCounterNames{
    "impressions", "clicks",  "dwell-seconds", "dwells",
    "completion",  "scrolls", "hides",         "reports"};

}  // namespace

FeatureList read_feature_list(const ObjectReader& reader, const CatalogSchema& schema,
                              const CounterStore& counters, uint32_t context_values) {
  FeatureList list;
  for_each_object(
      reader.array("features"), reader.path() + ".features", [&](const ObjectReader& item) {
        Feature feature;
        feature.source =
            static_cast<FeatureSource>(position(kSources, item.text("source"), item.path()));
        feature.transformation = static_cast<Transformation>(
            position(kTransformations, item.text("transformation"), item.path()));
        feature.index = item.count("index");
        feature.missing = item.number("missing");
        if (feature.source == FeatureSource::kCounter) {
          feature.counter =
              static_cast<Counter>(position(kCounterNames, item.text("counter"), item.path()));
        }
        size_t bound = SIZE_MAX;
        switch (feature.source) {
          case FeatureSource::kCounter:
          case FeatureSource::kClickThroughRate:
          case FeatureSource::kMeanDwell:
            bound = counters.half_lives().size();
            break;
          case FeatureSource::kColumn:
            bound = schema.columns.size();
            break;
          case FeatureSource::kContext:
            bound = context_values;
            break;
          case FeatureSource::kDot:
            bound = schema.spaces.size();
            break;
          case FeatureSource::kAge:
          case FeatureSource::kTimeSinceFirstSeen:
            break;
        }
        if (feature.index >= bound) {
          throw Error("INVALID_ARGUMENT", item.path(),
                      item.path() + ": index " + std::to_string(feature.index) + " of " +
                          std::to_string(bound));
        }
        list.features.push_back(feature);
      });
  const ObjectReader smoothing = reader.object("smoothing");
  list.smoothing = {smoothing.number("clickRate"), smoothing.number("clickWeight"),
                    smoothing.number("dwellSeconds"), smoothing.number("dwellWeight")};
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
