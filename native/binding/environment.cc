#include "environment.h"

#include <algorithm>
#include <string>
#include <thread>

#include "error.h"
#include "ranking/model_backend.h"
#include "runtime/wait.h"

namespace feedrank::binding {
namespace {

struct ProcessRuntime {
  std::mutex mutex;
  std::weak_ptr<Executor> executor;
  std::weak_ptr<Executor> loader;
  uint32_t threads = std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
  uint32_t queue_limit = 1024;
};

ProcessRuntime& process_runtime() {
  // Never destroyed: environments may end after static destructors have run.
  static auto* runtime = new ProcessRuntime();
  return *runtime;
}

}  // namespace

void Environment::configure(uint32_t threads, uint32_t queue_limit) {
  ProcessRuntime& runtime = process_runtime();
  std::scoped_lock lock(runtime.mutex);
  if (!runtime.executor.expired() &&
      (threads != runtime.threads || queue_limit != runtime.queue_limit)) {
    throw Error("INVALID_ARGUMENT", "threads",
                "threads: the process runs with " + std::to_string(runtime.threads) +
                    " threads and a queue of " + std::to_string(runtime.queue_limit) +
                    " already; configure before the first catalog or model");
  }
  runtime.threads = threads;
  runtime.queue_limit = queue_limit;
}

Environment::Status Environment::status() {
  ProcessRuntime& runtime = process_runtime();
  std::scoped_lock lock(runtime.mutex);
  const auto executor = runtime.executor.lock();
  return {runtime.threads, runtime.queue_limit, executor == nullptr ? 0 : executor->queued()};
}

const std::shared_ptr<Executor>& Environment::shared_executor() {
  if (executor_ == nullptr) {
    ProcessRuntime& runtime = process_runtime();
    std::scoped_lock lock(runtime.mutex);
    executor_ = runtime.executor.lock();
    if (executor_ == nullptr) {
      executor_ = std::make_shared<Executor>(
          Executor::Options{runtime.threads, runtime.queue_limit, prepare_torch_thread});
      runtime.executor = executor_;
    }
  }
  return executor_;
}

Executor& Environment::loader() {
  if (loader_ == nullptr) {
    ProcessRuntime& runtime = process_runtime();
    std::scoped_lock lock(runtime.mutex);
    loader_ = runtime.loader.lock();
    if (loader_ == nullptr) {
      constexpr int kBehindRequests = 7;
      loader_ = std::make_shared<Executor>(
          Executor::Options{1, runtime.queue_limit, prepare_torch_thread, kBehindRequests});
      runtime.loader = loader_;
    }
  }
  return *loader_;
}

Environment::Environment(Napi::Env env) : env_(env) {
  const Napi::String name = Napi::String::New(env, "feedrank");
  const auto on_wake = [](napi_env raw, napi_value, void* context, void*) {
    // The environment is null while it is being torn down.
    if (raw != nullptr) static_cast<Environment*>(context)->settle_finished(Napi::Env(raw));
  };
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                      on_wake, &gate_->wake) != napi_ok) {
    throw Napi::Error::New(env, "feedrank: no thread-safe function could be made");
  }
  // Open promises keep the process alive; an idle feedrank does not.
  napi_unref_threadsafe_function(env, gate_->wake);
  // Hooks run in reverse order, so this one comes before the thread-safe function's own.
  env.AddCleanupHook([this] { close(); });
}

Environment::~Environment() = default;

void Environment::close() {
  {
    std::unique_lock lock(gate_->mutex);
    gate_->closed = true;
    wait_until(gate_->idle, lock, [this] { return gate_->running == 0; });
    gate_->finished.clear();
  }
  napi_release_threadsafe_function(gate_->wake, napi_tsfn_abort);
  for (auto& [work, open] : open_) work->release();
  open_.clear();
  executor_.reset();
  loader_.reset();
}

Napi::Value Environment::start(Napi::Env env, const Submit& submit, std::shared_ptr<Work> work,
                               KeptObjects kept, std::function<void()> after) {
  // Submitted first: where the queue is full this throws, and no promise is left behind. Nothing
  // settles before this function returns, because settling happens on this very thread.
  submit([gate = gate_, work, after = std::move(after)] {
    {
      std::scoped_lock lock(gate->mutex);
      if (gate->closed) return;
      ++gate->running;
    }
    try {
      work->execute();
    } catch (...) {
      work->error = std::current_exception();
    }
    bool answers = false;
    {
      std::scoped_lock lock(gate->mutex);
      answers = !gate->closed;
      if (answers) {
        gate->finished.push_back(work);
        napi_call_threadsafe_function(gate->wake, nullptr, napi_tsfn_nonblocking);
      }
    }
    // The environment waits for this, too, when it ends.
    if (answers && after) after();
    std::scoped_lock lock(gate->mutex);
    --gate->running;
    if (gate->closed) gate->idle.notify_all();
  });
  if (open_.empty()) napi_ref_threadsafe_function(env, gate_->wake);
  const auto deferred = Napi::Promise::Deferred::New(env);
  Work* const key = work.get();
  open_.emplace(key, Open{deferred, std::move(kept), std::move(work)});
  return deferred.Promise();
}

void Environment::settle(Napi::Env env, const Napi::Promise::Deferred& deferred, Work& work) {
  if (work.error == nullptr) {
    try {
      deferred.Resolve(work.value(env));
      return;
    } catch (...) {
      work.error = std::current_exception();
    }
  }
  deferred.Reject(to_js_error(env, work.error));
}

void Environment::settle_finished(Napi::Env env) {
  std::vector<std::shared_ptr<Work>> finished;
  {
    std::scoped_lock lock(gate_->mutex);
    finished.swap(gate_->finished);
  }
  for (const std::shared_ptr<Work>& work : finished) {
    const Napi::HandleScope scope(env);
    auto node = open_.extract(work.get());
    try {
      settle(env, node.mapped().deferred, *work);
    } catch (...) {
      // Nothing can be told to a thread that is being terminated, and no exception may leave here.
    }
    work->release();
  }
  if (!finished.empty() && open_.empty()) napi_unref_threadsafe_function(env, gate_->wake);
}

}  // namespace feedrank::binding
