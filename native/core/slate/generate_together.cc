#include "slate/generate_together.h"

#include <chrono>
#include <vector>

#include "catalog/catalog.h"
#include "slate/generators.h"

namespace feedrank {
namespace {

void scan(std::span<Request* const> requests, uint32_t generator, Executor& executor) {
  std::vector<Request*> asking;
  std::vector<DecayedDotNeed> needs;
  for (Request* request : requests) {
    if (auto need = request->need_of(generator)) {
      asking.push_back(request);
      needs.push_back(*need);
    }
  }
  if (asking.empty()) return;
  const Request& first = *asking.front();
  const auto begin = std::chrono::steady_clock::now();
  auto found = decayed_dot_items(first.snapshot(), first.retriever(),
                                 first.plan().generators[generator].space, needs, &executor);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  if (first.controller()) first.controller()->took_scan(asking.size(), took.count());
  for (size_t i = 0; i < asking.size(); ++i) {
    asking[i]->take_found(generator, std::move(found[i]), took.count());
  }
}

}  // namespace

void generate_together(std::span<const std::shared_ptr<Request>> requests, Executor& executor) {
  const Queue queue{executor.queued(), executor.threads()};
  std::vector<Request*> timely;
  for (const auto& request : requests) {
    if (!request->too_late(queue)) timely.push_back(request.get());
  }
  if (timely.size() < 2) return;
  try {
    // After all of them were submitted, so each sees every write that returned before it began.
    const std::shared_ptr<const Snapshot> snapshot = timely.front()->engagement().catalog()->pin();
    for (Request* request : timely) request->pin(snapshot);
    const auto generators = static_cast<uint32_t>(timely.front()->plan().generators.size());
    for (uint32_t g = 0; g < generators; ++g) scan(timely, g, executor);
  } catch (const std::exception&) {
    // Each retrieves by itself what was not found for it.
  }
}

}  // namespace feedrank
