#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace feedrank {

/// The one exception type that the core throws on purpose. `code` is stable and part of the public
/// API (src/errors.ts lists it), `argument` names what was wrong, in the caller's own words.
class Error : public std::runtime_error {
 public:
  Error(std::string code, std::string argument, const std::string& message)
      : std::runtime_error(message), code_(std::move(code)), argument_(std::move(argument)) {}

  const std::string& code() const noexcept { return code_; }
  const std::string& argument() const noexcept { return argument_; }

 private:
  std::string code_;
  std::string argument_;
};

}  // namespace feedrank
