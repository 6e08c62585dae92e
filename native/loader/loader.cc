// The loader addon. It opens shared libraries by absolute path, so that feedrank_native.so, which
// is loaded after them, binds to that LibTorch and to no other that lies in a system folder.

#include <dlfcn.h>
#include <node_api.h>

#include <string>

namespace {

napi_value ThrowLoadError(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
  return nullptr;
}

// open(absolutePath): opens a shared library for the rest of the process's life.
napi_value Open(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argument = nullptr;
  size_t length = 0;
  if (napi_get_cb_info(env, info, &argc, &argument, nullptr, nullptr) != napi_ok || argc < 1 ||
      napi_get_value_string_utf8(env, argument, nullptr, 0, &length) != napi_ok) {
    return ThrowLoadError(env, "INVALID_ARGUMENT", "open() needs the path of a shared library");
  }
  std::string path(length + 1, '\0');
  if (napi_get_value_string_utf8(env, argument, path.data(), path.size(), &length) != napi_ok) {
    return ThrowLoadError(env, "INVALID_ARGUMENT", "open() needs the path of a shared library");
  }
  path.resize(length);
  if (path.empty() || path.front() != '/') {
    return ThrowLoadError(env, "INVALID_ARGUMENT", "open() needs an absolute path");
  }

  // RTLD_LOCAL keeps LibTorch's copies of libstdc++ symbols out of every other addon. The handle
  // is dropped on purpose: LibTorch cannot be unloaded safely.
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
    const char* reason = dlerror();
    return ThrowLoadError(env, "ERR_DLOPEN_FAILED", reason != nullptr ? reason : path);
  }
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value open = nullptr;
  napi_value version = nullptr;
  napi_value libtorch = nullptr;
  if (napi_create_function(env, "open", NAPI_AUTO_LENGTH, Open, nullptr, &open) != napi_ok ||
      napi_set_named_property(env, exports, "open", open) != napi_ok ||
      napi_create_string_utf8(env, FEEDRANK_VERSION, NAPI_AUTO_LENGTH, &version) != napi_ok ||
      napi_set_named_property(env, exports, "version", version) != napi_ok ||
      napi_create_string_utf8(env, FEEDRANK_LIBTORCH_VERSION, NAPI_AUTO_LENGTH, &libtorch) !=
          napi_ok ||
      napi_set_named_property(env, exports, "libtorchVersion", libtorch) != napi_ok) {
    napi_throw_error(env, nullptr, "The feedrank loader could not be set up");
  }
  return exports;
}
