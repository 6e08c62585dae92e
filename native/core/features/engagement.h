#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "catalog/catalog.h"
#include "features/counter_store.h"
#include "features/event.h"
#include "features/event_gate.h"
#include "features/user_store.h"

namespace feedrank {

/// What readers did with the items of one catalog: the live counters, what each user was shown,
/// and the gate that keeps late and repeated events out of both.
class Engagement {
 public:
  struct Options {
    std::vector<int64_t> half_lives_ms;
    int64_t lateness_ms = 600'000;
    UserStore::Limits users;
  };

  Engagement(std::shared_ptr<Catalog> catalog, const Options& options);

  const std::shared_ptr<Catalog>& catalog() const { return catalog_; }
  const CounterStore& counters() const { return counters_; }
  const UserStore& users() const { return users_; }
  UserStore& users() { return users_; }

  /// Takes events in the order given; `now` moves event time forward. All of them are visible when
  /// this returns. Throws INVALID_ARGUMENT before anything is counted where an id is of the wrong
  /// kind.
  RecordResult record(std::span<const Event> events, int64_t now);

 private:
  std::shared_ptr<Catalog> catalog_;
  CounterStore counters_;
  UserStore users_;
  std::mutex record_mutex_;
  EventGate gate_;
};

}  // namespace feedrank
