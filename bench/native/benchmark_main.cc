// feedrank_bench [--list | --only ID] [--serve] [--data DIR]: runs the native benchmarks, one line
// of JSON each; --serve runs rounds as standard input asks for them, --data reads data sets from
// files. feedrank_bench --write-data NAME --data DIR: writes a data set for those and for other
// processes.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <sstream>
#include <string_view>

#include "benchmark.h"
#include "data_set.h"
#include "ranker_files.h"

namespace feedrank::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kSeconds = 2;
constexpr size_t kLeastRounds = 30;
constexpr size_t kMostRounds = 100'000;

double run_once(const std::function<void()>& round) {
  const auto begin = Clock::now();
  round();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::vector<Benchmark>& benchmarks() {
  static std::vector<Benchmark> all;
  return all;
}

void Bench::serve(const std::function<void()>& round) {
  run_once(round);
  std::cout << "{\"ready\":true}" << std::endl;
  std::vector<double> all;
  for (size_t count = 0; std::cin >> count;) {
    std::ostringstream answer;
    for (size_t i = 0; i < count; ++i) {
      all.push_back(run_once(round));
      answer << (i == 0 ? "[" : ",") << all.back();
    }
    std::cout << answer.str() << ']' << std::endl;
  }
  if (!all.empty()) settle(std::move(all));
}

void Bench::measure(const std::function<void()>& round) {
  if (serve_) return serve(round);
  const auto begin = Clock::now();
  const auto passed = [&begin](double seconds) {
    return std::chrono::duration<double>(Clock::now() - begin).count() > seconds;
  };
  size_t warm_up = 0;
  while (warm_up < 3 || !passed(kSeconds / 10)) {
    run_once(round);
    ++warm_up;
  }
  std::vector<double> ms;
  while (ms.size() < kLeastRounds || (ms.size() < kMostRounds && !passed(kSeconds))) {
    ms.push_back(run_once(round));
  }
  settle(std::move(ms));
}

void Bench::settle(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  const auto quantile = [&ms](double q) {
    return ms[std::min(ms.size() - 1, static_cast<size_t>(q * static_cast<double>(ms.size())))];
  };
  times_ = {quantile(0.5), ms.front(), ms.back(), quantile(0.99), static_cast<uint32_t>(ms.size())};
}

std::string Bench::line(const std::string& id, const std::string& work) const {
  std::ostringstream out;
  out.precision(6);
  out << "{\"id\":" << quoted(id) << ",\"work\":" << quoted(work);
  if (skipped_) {
    out << ",\"skipped\":[{\"name\":" << quoted(skipped_->what)
        << ",\"reason\":" << quoted(skipped_->reason) << "}]}";
    return out.str();
  }
  out << ",\"ours\":{\"median\":" << times_.median << ",\"low\":" << times_.low
      << ",\"high\":" << times_.high << ",\"p99\":" << times_.p99
      << "},\"rounds\":" << times_.rounds;
  for (const Extra& extra : extra_) out << ',' << quoted(extra.name) << ':' << extra.value;
  out << '}';
  return out.str();
}

}  // namespace feedrank::bench

int main(int argc, char** argv) {
  using feedrank::bench::benchmarks;
  using feedrank::bench::DataSet;
  std::string only;
  std::string write;
  bool list = false;
  bool serve = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--list") {
      list = true;
    } else if (argument == "--serve") {
      serve = true;
    } else if (argument == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else if (argument == "--write-data" && i + 1 < argc) {
      write = argv[++i];
    } else if (argument == "--data" && i + 1 < argc) {
      DataSet::folder() = argv[++i];
    } else {
      std::cerr << "feedrank_bench: expected --list, --only ID, --serve, --data DIR or "
                   "--write-data NAME\n";
      return 2;
    }
  }
  if (write == "ranker") {
    feedrank::bench::write_ranker(DataSet::folder());
    return 0;
  }
  if (write == "stored") {
    DataSet::write_stored_features(DataSet::folder());
    return 0;
  }
  if (!write.empty()) {
    DataSet::generate(write).write(DataSet::folder(), write);
    return 0;
  }
  std::sort(benchmarks().begin(), benchmarks().end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  bool found = false;
  for (const auto& benchmark : benchmarks()) {
    if (!only.empty() && benchmark.id != only) continue;
    found = true;
    if (list) {
      std::cout << benchmark.id << '\n';
      continue;
    }
    feedrank::bench::Bench bench(serve);
    benchmark.run(bench);
    std::cout << bench.line(benchmark.id, benchmark.work) << std::endl;
  }
  if (!found) std::cerr << "feedrank_bench: no benchmark " << only << '\n';
  return found ? 0 : 2;
}
