#include "slices_encoding.h"

#include <string>
#include <vector>

#include "arguments.h"
#include "catalog/catalog.h"
#include "features/slice_report.h"

namespace feedrank::binding {
namespace {

void append(std::vector<double>& values, const SliceReport::Figures& figures) {
  values.insert(values.end(),
                {figures.impressions, figures.clicks, figures.click_through_rate, figures.exposure,
                 figures.exposure_share, figures.mean_score, figures.score_deviation});
}

Napi::Object encode_comparison(Napi::Env env, const std::string& name,
                               const std::vector<std::string>& values,
                               std::span<const SliceSums> slices, const SliceSums& all) {
  const SliceReport report = compare_slices(slices, all);
  std::vector<double> figures;
  for (const SliceReport::Figures& value : report.values) append(figures, value);
  const SliceReport::Gaps& gaps = report.gaps;
  auto encoded = Napi::Object::New(env);
  encoded.Set("name", name);
  encoded.Set("values", to_string_array(env, values));
  encoded.Set("figures", to_float64_array(env, figures));
  encoded.Set("gaps",
              to_float64_array(env, std::vector{gaps.click_through_rate, gaps.exposure_share,
                                                gaps.mean_score, gaps.score_disparity}));
  return encoded;
}

Napi::Float64Array encode_figures(Napi::Env env, const SliceSums& sums, const SliceSums& all) {
  std::vector<double> values;
  append(values, figures_of(sums, all));
  return to_float64_array(env, values);
}

}  // namespace

Napi::Value encode_slices(Napi::Env env, const Engagement& engagement, int64_t now) {
  const SliceMonitor::Reading reading = engagement.slices().read(now);
  const Catalog& catalog = *engagement.catalog();

  auto segments = Napi::Array::New(env);
  size_t first = 0;
  for (const Segmentation& segmentation : engagement.options().segmentations) {
    const size_t count = segmentation.values.size();
    segments.Set(segments.Length(),
                 encode_comparison(env, segmentation.name, segmentation.values,
                                   std::span(reading.segments).subspan(first, count), reading.all));
    first += count;
  }

  auto groups = Napi::Array::New(env);
  for (size_t l = 0; l < reading.labels.size(); ++l) {
    std::vector<std::string> values;
    std::vector<SliceSums> sums;
    for (const SliceMonitor::Group& group : reading.labels[l].groups) {
      values.push_back(catalog.strings().text(group.label_value));
      sums.push_back(group.sums);
    }
    auto encoded = encode_comparison(env, catalog.schema().labels[l], values, sums, reading.all);
    encoded.Set("other", encode_figures(env, reading.labels[l].other, reading.all));
    groups.Set(groups.Length(), encoded);
  }

  auto slices = Napi::Object::New(env);
  slices.Set("asOf", static_cast<double>(reading.as_of));
  slices.Set("all", encode_figures(env, reading.all, reading.all));
  slices.Set("segments", segments);
  slices.Set("groups", groups);
  slices.Set("slatesAhead", static_cast<double>(reading.slates_ahead));
  return slices;
}

}  // namespace feedrank::binding
