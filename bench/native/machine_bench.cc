// What this machine can do at best: the floors that rows are held against.

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include "benchmark.h"

namespace {

using feedrank::bench::keep;

/// Sums a buffer that no cache holds. Plain C++ would not load fast enough on every machine.
__attribute__((target("avx2"))) uint64_t sum_avx2(const uint64_t* values, size_t count) {
  __m256i sums[4] = {};
  for (size_t i = 0; i + 16 <= count; i += 16) {
    for (size_t s = 0; s < 4; ++s) {
      const auto* at = reinterpret_cast<const __m256i*>(values + i + 4 * s);
      sums[s] = _mm256_add_epi64(sums[s], _mm256_loadu_si256(at));
    }
  }
  const __m256i sum =
      _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]), _mm256_add_epi64(sums[2], sums[3]));
  return static_cast<uint64_t>(_mm256_extract_epi64(sum, 0));
}

uint64_t sum_portable(const uint64_t* values, size_t count) {
  return std::accumulate(values, values + count, uint64_t{0});
}

uint64_t sum(const uint64_t* values, size_t count) {
  return __builtin_cpu_supports("avx2") ? sum_avx2(values, count) : sum_portable(values, count);
}

/// Operations of one call of each of these.
constexpr double kRounds = 2'000'000;
constexpr size_t kChains = 16;  // hide a latency of 4 at two a cycle, and some

__attribute__((target("avx512f"))) void multiply_avx512() {
  __m512 sums[kChains];
  for (size_t c = 0; c < kChains; ++c) sums[c] = _mm512_set1_ps(static_cast<float>(c));
  const __m512 factor = _mm512_set1_ps(0.999F);
  for (size_t i = 0; i < static_cast<size_t>(kRounds); ++i) {
    for (size_t c = 0; c < kChains; ++c) sums[c] = _mm512_fmadd_ps(sums[c], factor, factor);
  }
  for (size_t c = 0; c < kChains; ++c) keep(sums[c]);
}

__attribute__((target("avx2,fma"))) void multiply_avx2() {
  constexpr size_t kHalf = kChains / 2 + 2;
  __m256 sums[kHalf];
  for (size_t c = 0; c < kHalf; ++c) sums[c] = _mm256_set1_ps(static_cast<float>(c));
  const __m256 factor = _mm256_set1_ps(0.999F);
  for (size_t i = 0; i < static_cast<size_t>(kRounds); ++i) {
    for (size_t c = 0; c < kHalf; ++c) sums[c] = _mm256_fmadd_ps(sums[c], factor, factor);
  }
  for (size_t c = 0; c < kHalf; ++c) keep(sums[c]);
}

/// Multiplications and additions a second of one core, in float32.
double gigaflops() {
  const auto timed = [](void (*work)(), double operations) {
    double best = 0;
    for (int round = 0; round < 5; ++round) {
      const auto begin = std::chrono::steady_clock::now();
      work();
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
      best = std::max(best, operations / passed.count() / 1e9);
    }
    return best;
  };
  if (__builtin_cpu_supports("avx512f")) {
    return timed(multiply_avx512, kRounds * kChains * 16 * 2);
  }
  if (__builtin_cpu_supports("fma")) {
    return timed(multiply_avx2, kRounds * (kChains / 2 + 2) * 8 * 2);
  }
  return 0;
}

}  // namespace

BENCHMARK("machine", "reading 1 GiB from memory with one thread (ms)") {
  const std::vector<uint64_t> values(size_t{1} << 27, 1);
  const double bytes = static_cast<double>(values.size()) * sizeof(uint64_t);
  double both = 0;
  for (int round = 0; round < 5; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    const size_t half = values.size() / 2;
    uint64_t first = 0;
    std::thread other([&] { first = sum(values.data(), half); });
    keep(sum(values.data() + half, half));
    other.join();
    keep(first);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    both = std::max(both, bytes / passed.count() / 1e9);
  }
  bench.measure([&] { keep(sum(values.data(), values.size())); });
  bench.report("gigabytesPerSecond", bytes / bench.times().low / 1e6);
  bench.report("gigabytesPerSecondOfTwoThreads", both);
  bench.report("gigaflopsOfOneCore", gigaflops());
}
