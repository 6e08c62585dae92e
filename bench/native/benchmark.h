#ifndef FEEDRANK_BENCH_NATIVE_BENCHMARK_H_
#define FEEDRANK_BENCH_NATIVE_BENCHMARK_H_

// The native benchmarks' own harness. Each file of this folder registers its benchmarks:
//
//   BENCHMARK("select-mmr", "MMR, 500 candidates to 50") {
//     const World world;  // what is not measured
//     bench.measure([&] { keep(world.select()); });
//   }

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace feedrank::bench {

/// Times one benchmark: many rounds, of which the first are thrown away.
class Bench {
 public:
  /// Where `serve` is set, `measure` runs rounds when it is told to, so that they can take turns
  /// with those of other processes: after {"ready":true} it answers each line "COUNT" on standard
  /// input with the milliseconds of so many rounds, one array of JSON, until the input ends.
  explicit Bench(bool serve = false) : serve_(serve) {}

  /// Milliseconds of one round.
  struct Times {
    double median = 0;
    double low = 0;
    double high = 0;
    double p99 = 0;
    uint32_t rounds = 0;
  };

  /// Runs `round` for some two seconds, and at least 30 times after a warm-up. To be called once.
  void measure(const std::function<void()>& round);

  /// Instead of `measure`, where rounds take turns with those of another way and were timed as they
  /// ran: milliseconds of each.
  void take(std::vector<double> ms) { settle(std::move(ms)); }

  /// Says in the report what else was found out, such as a rate.
  void report(const std::string& name, double value) { extra_.push_back({name, value}); }

  /// Instead of `measure`, where the machine lacks what the benchmark needs, such as a device.
  void skip(const std::string& what, const std::string& reason) { skipped_ = {what, reason}; }

  const Times& times() const { return times_; }

  /// One line of JSON.
  std::string line(const std::string& id, const std::string& work) const;

 private:
  struct Extra {
    std::string name;
    double value;
  };

  struct Skipped {
    std::string what;
    std::string reason;
  };

  void serve(const std::function<void()>& round);
  void settle(std::vector<double> ms);

  bool serve_;
  Times times_;
  std::vector<Extra> extra_;
  std::optional<Skipped> skipped_;
};

struct Benchmark {
  std::string id;
  std::string work;
  void (*run)(Bench& bench);
};

std::vector<Benchmark>& benchmarks();

struct Register {
  Register(const char* id, const char* work, void (*run)(Bench&)) {
    benchmarks().push_back({id, work, run});
  }
};

/// Keeps the compiler from leaving out work whose result nobody reads.
template <typename T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

}  // namespace feedrank::bench

#define BENCH_JOIN_(a, b) a##b
#define BENCH_JOIN(a, b) BENCH_JOIN_(a, b)

#define BENCHMARK(id, work)                                                 \
  static void BENCH_JOIN(Run, __LINE__)(::feedrank::bench::Bench & bench);  \
  static const ::feedrank::bench::Register BENCH_JOIN(register_, __LINE__)( \
      id, work, &BENCH_JOIN(Run, __LINE__));                                \
  static void BENCH_JOIN(Run, __LINE__)(::feedrank::bench::Bench & bench)

#endif  // FEEDRANK_BENCH_NATIVE_BENCHMARK_H_
