#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "class_references.h"
#include "js_error.h"
#include "node_api.h"
#include "runtime/executor.h"

namespace feedrank::binding {

/// What one JavaScript environment (the main thread or a worker_thread) holds: its share of the
/// process's executor, the promises that are open, and the way back to the JavaScript thread.
/// Set once as instance data. When the environment ends, it waits for what runs and forgets the
/// rest, so that `worker.terminate()` and `process.exit()` with work in flight are clean.
class Environment {
 public:
  explicit Environment(Napi::Env env);
  ~Environment();

  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  /// Sets threads and queue limit for the process. Throws INVALID_ARGUMENT where the executor runs
  /// already with other settings.
  static void configure(uint32_t threads, uint32_t queue_limit);

  struct Status {
    uint32_t threads;
    uint32_t queue_limit;
    size_t queued;
  };
  /// Of the process; starts nothing.
  static Status status();

  /// The process's executor; started on first use.
  Executor& executor() { return *shared_executor(); }
  const std::shared_ptr<Executor>& shared_executor();

  using Submit = std::function<void(Executor::Job)>;
  using KeptObjects = std::vector<Napi::ObjectReference>;

  /// Runs `work` wherever `submit` puts it and resolves a promise with `convert(env, result)` on
  /// the JavaScript thread. Objects in `kept` are not collected before the promise settles. `after`
  /// is run where `work` was, once its result is on its way; it must not throw.
  template <typename Result>
  Napi::Value run(Napi::Env env, const Submit& submit,
                  std::type_identity_t<std::function<Result()>> work,
                  std::type_identity_t<std::function<Napi::Value(Napi::Env, Result&)>> convert,
                  KeptObjects kept = {}, std::function<void()> after = {}) {
    struct Task final : Work {
      std::function<Result()> work;
      std::function<Napi::Value(Napi::Env, Result&)> convert;
      std::unique_ptr<Result> result;

      void execute() override { result = std::make_unique<Result>(work()); }
      Napi::Value value(Napi::Env at) override { return convert(at, *result); }
      void release() override {
        work = nullptr;
        convert = nullptr;
        result = nullptr;
      }
    };
    auto task = std::make_shared<Task>();
    task->work = std::move(work);
    task->convert = std::move(convert);
    return start(env, submit, std::move(task), std::move(kept), std::move(after));
  }

  ClassReferences classes;

  /// On the executor's next free thread.
  Submit anywhere() {
    return [this](Executor::Job job) { executor().submit(std::move(job)); };
  }
  /// On a thread that no request waits for and that stands back for those that serve them: what
  /// takes long, such as loading a model.
  Submit aside() {
    return [this](Executor::Job job) { loader().submit(std::move(job)); };
  }

 private:
  struct Work {
    virtual ~Work() = default;
    virtual void execute() = 0;
    virtual Napi::Value value(Napi::Env env) = 0;
    /// Lets go of what it holds, on the JavaScript thread.
    virtual void release() = 0;
    std::exception_ptr error;
  };
  /// Lives on the JavaScript thread alone: handles must not be touched elsewhere.
  struct Open {
    Napi::Promise::Deferred deferred;
    KeptObjects kept;
    /// Kept until the promise settles: whoever ran the work may have dropped it by then.
    std::shared_ptr<Work> work;
  };
  /// Outlives the environment, because queued jobs may.
  struct Gate {
    std::mutex mutex;
    std::condition_variable idle;
    bool closed = false;
    uint32_t running = 0;
    std::vector<std::shared_ptr<Work>> finished;
    napi_threadsafe_function wake = nullptr;
  };

  Napi::Value start(Napi::Env env, const Submit& submit, std::shared_ptr<Work> work,
                    KeptObjects kept, std::function<void()> after);
  void settle_finished(Napi::Env env);
  Executor& loader();
  static void settle(Napi::Env env, const Napi::Promise::Deferred& deferred, Work& work);
  void close();

  Napi::Env env_;
  std::shared_ptr<Executor> executor_;
  std::shared_ptr<Executor> loader_;
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::unordered_map<Work*, Open> open_;
};

}  // namespace feedrank::binding
