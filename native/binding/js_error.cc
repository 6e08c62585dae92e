#include "js_error.h"

#include <new>
#include <string>

#include "error.h"
#include "slate/overloaded.h"

namespace feedrank::binding {

Napi::Value to_js_error(Napi::Env env, std::exception_ptr error) {
  std::string code = "INTERNAL";
  std::string argument;
  std::string message;
  double retry_after_ms = 0;
  try {
    std::rethrow_exception(error);
  } catch (const Overloaded& refused) {
    code = refused.code();
    argument = refused.argument();
    message = refused.what();
    retry_after_ms = refused.retry_after_ms();
  } catch (const Error& known) {
    code = known.code();
    argument = known.argument();
    message = known.what();
  } catch (const std::bad_alloc&) {
    message = "out of memory";
  } catch (const std::exception& other) {
    // LibTorch's messages carry a C++ stack after the first line.
    message = other.what();
    message.erase(std::min(message.find('\n'), message.size()));
    if (message.size() > 300) message.resize(300);
  } catch (...) {
    message = "an unknown C++ exception";
  }
  const Napi::Object object = Napi::Error::New(env, message).Value();
  object.Set("code", code);
  if (!argument.empty()) object.Set("argument", argument);
  if (retry_after_ms > 0) object.Set("retryAfterMs", retry_after_ms);
  return object;
}

}  // namespace feedrank::binding
