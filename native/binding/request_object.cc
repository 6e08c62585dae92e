#include "request_object.h"

#include <atomic>
#include <utility>

#include "error.h"
#include "request_decoding.h"
#include "slate_encoding.h"

namespace feedrank::binding {

Napi::Function RequestObject::define(Napi::Env env) {
  return DefineClass(
      env, "Request",
      {InstanceMethod<&RequestObject::run>("run"), InstanceMethod<&RequestObject::end>("end")});
}

RequestObject::RequestObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "made by Plan.begin alone");
  request_ = *info[0].As<Napi::External<std::shared_ptr<Request>>>().Data();
}

Napi::Value RequestObject::run_request(Napi::Env env, const std::shared_ptr<Request>& request,
                                       ExternalResult result, const Napi::Value& flag,
                                       const Environment::Submit& submit) {
  Environment& environment = Environment::of(env);
  Environment::KeptObjects kept;
  int32_t* cancel = nullptr;
  if (flag.IsTypedArray()) {
    auto array = flag.As<Napi::Int32Array>();
    if (array.ElementLength() > 0) cancel = array.Data();
    kept.push_back(Napi::Persistent(flag.As<Napi::Object>()));
  }
  auto answer = std::make_shared<ExternalResult>(std::move(result));
  // The environment holds the executor until what runs on it has ended.
  Executor* executor = &environment.executor();
  return environment.run<Request::State>(
      env, submit,
      [request, answer, cancel, executor] {
        const auto cancelled = [cancel] {
          return cancel != nullptr &&
                 std::atomic_ref<int32_t>(*cancel).load(std::memory_order_relaxed) != 0;
        };
        return request->run(std::move(*answer), cancelled, executor);
      },
      [request](Napi::Env at, const Request::State& state) {
        const Napi::Value encoded = encode_answer(at, *request, state);
        if (state == Request::State::kDone) request->delivered();
        return encoded;
      },
      std::move(kept), [request, executor] { request->score_in_shadow(*executor); });
}

Napi::Value RequestObject::run(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (request_ == nullptr) throw Error("DISPOSED", "request", "request: it has ended");
    ExternalResult result =
        read_external_result(info[0], request_->plan(), request_->candidates().size());
    return run_request(info.Env(), request_, std::move(result), info[1],
                       Environment::of(info.Env()).anywhere());
  });
}

Napi::Value RequestObject::end(const Napi::CallbackInfo& info) {
  request_.reset();
  return info.Env().Undefined();
}

}  // namespace feedrank::binding
