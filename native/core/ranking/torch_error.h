#pragma once

#include <torch/script.h>

#include <algorithm>
#include <exception>
#include <string>

namespace feedrank {

/// The first line of a LibTorch message; the rest is a C++ stack that helps no user.
inline std::string first_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  // A failure inside TorchScript ends with the line that says what went wrong.
  if (const size_t at = text.rfind("RuntimeError: "); at != std::string::npos) text.erase(0, at);
  text.erase(std::min(text.find('\n'), text.size()));
  constexpr size_t kShown = 240;
  return text.size() > kShown ? text.substr(0, kShown) + "…" : text;
}

}  // namespace feedrank
