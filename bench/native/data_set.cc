#include "data_set.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

namespace feedrank::bench {
namespace {

constexpr uint32_t kClusters = 1'000;

using Random = std::mt19937_64;

void fill_unit(Random& random, std::span<float> out) {
  std::normal_distribution<float> normal;
  double squares = 0;
  for (float& value : out) {
    value = normal(random);
    squares += double{value} * double{value};
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(squares));
  for (float& value : out) value *= scale;
}

/// A centre and half a unit of noise, renormalised.
void fill_near(Random& random, std::span<const float> centre, std::span<float> out) {
  fill_unit(random, out);
  double squares = 0;
  for (size_t d = 0; d < out.size(); ++d) {
    out[d] = centre[d] + 0.5F * out[d];
    squares += double{out[d]} * double{out[d]};
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(squares));
  for (float& value : out) value *= scale;
}

std::string file_of(const std::string& folder, const std::string& name, const char* part) {
  return (std::filesystem::path(folder) / (name + "." + part)).string();
}

template <typename T>
void write_values(const std::string& path, const std::vector<T>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

template <typename T>
std::vector<T> read_values(const std::string& path) {
  std::vector<T> values(std::filesystem::file_size(path) / sizeof(T));
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!file) throw std::runtime_error("cannot read " + path);
  return values;
}

}  // namespace

std::string& DataSet::folder() {
  static std::string folder;
  return folder;
}

DataSet DataSet::generate(const std::string& name, uint32_t items, uint32_t dimensions) {
  if (name != "clustered" && name != "ten-tau" && name != "random") {
    throw std::invalid_argument("no data set " + name);
  }
  Random random(1);
  DataSet set;
  set.items = items;
  set.dimensions = dimensions;
  set.vectors.resize(size_t{items} * dimensions);
  set.queries.resize(size_t{kQueries} * dimensions);
  set.publish_times.reserve(items);
  std::vector<float> centres(size_t{kClusters} * dimensions);
  const auto vector_of = [dimensions](std::vector<float>& all, size_t i) {
    return std::span(all).subspan(i * dimensions, dimensions);
  };
  for (uint32_t c = 0; c < kClusters; ++c) fill_unit(random, vector_of(centres, c));
  const auto fill = [&](std::span<float> out) {
    if (name == "random") return fill_unit(random, out);
    fill_near(random, vector_of(centres, random() % kClusters), out);
  };
  for (uint32_t q = 0; q < kQueries; ++q) fill(vector_of(set.queries, q));
  std::exponential_distribution<double> exponential;
  std::uniform_real_distribution<double> even;
  for (uint32_t i = 0; i < items; ++i) {
    fill(vector_of(set.vectors, i));
    const double age = name == "ten-tau" ? 10 * even(random) : exponential(random);
    set.publish_times.push_back(kNow - static_cast<int64_t>(age * kTauMs));
  }
  return set;
}

void DataSet::write(const std::string& folder, const std::string& name) const {
  std::vector<int64_t> ages;
  ages.reserve(items);
  for (const int64_t time : publish_times) ages.push_back(kNow - time);
  write_values(file_of(folder, name, "vectors"), vectors);
  write_values(file_of(folder, name, "ages"), ages);
  write_values(file_of(folder, name, "queries"), queries);
  std::ofstream settings(std::filesystem::path(folder) / "settings.json");
  settings << "{\"dimensions\":" << dimensions << ",\"now\":" << kNow
           << ",\"tauMs\":" << static_cast<int64_t>(kTauMs) << "}\n";
  if (!settings.flush()) throw std::runtime_error("cannot write settings.json in " + folder);
}

void DataSet::write_stored_features(const std::string& folder) {
  constexpr size_t kValues = size_t{1'000'000} * 126;
  Random random(3);
  std::normal_distribution<float> normal;
  std::vector<float> values(kValues);
  for (float& value : values) value = normal(random);
  write_values((std::filesystem::path(folder) / "stored.features").string(), values);
}

DataSet DataSet::of(const std::string& name) {
  if (folder().empty() || !std::filesystem::exists(file_of(folder(), name, "queries"))) {
    return generate(name);
  }
  DataSet set;
  set.vectors = read_values<float>(file_of(folder(), name, "vectors"));
  set.queries = read_values<float>(file_of(folder(), name, "queries"));
  set.publish_times = read_values<int64_t>(file_of(folder(), name, "ages"));
  for (int64_t& time : set.publish_times) time = kNow - time;
  set.items = static_cast<uint32_t>(set.publish_times.size());
  set.dimensions = static_cast<uint32_t>(set.queries.size() / kQueries);
  return set;
}

}  // namespace feedrank::bench
