#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "slate/request.h"

namespace feedrank {

class Request::Timed {
 public:
  static constexpr const char* kOverBudget = "budget";

  Timed(Request& request, const std::string& name, const char* kind) : request_(request) {
    line_.name = name;
    line_.kind = kind;
    line_.in = static_cast<uint32_t>(request.candidates_.size());
  }
  ~Timed() {
    line_.ms = external_ms_ >= 0
                   ? external_ms_
                   : std::chrono::duration<double, std::milli>(Clock::now() - begin_).count();
    if (!counted_) line_.out = static_cast<uint32_t>(request_.candidates_.size());
    request_.trace_.stages.push_back(std::move(line_));
  }

  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

  void skip(const std::string& why) { line_.skipped = why; }
  void fall_short(std::string text) { line_.shortfalls.push_back(std::move(text)); }
  void note(std::string text) { line_.notes.push_back(std::move(text)); }
  void took(double ms) { external_ms_ = ms; }
  void produced(size_t count) {
    line_.out = static_cast<uint32_t>(count);
    counted_ = true;
  }

 private:
  Request& request_;
  StageTrace line_;
  Clock::time_point begin_ = Clock::now();
  double external_ms_ = -1;
  bool counted_ = false;
};

}  // namespace feedrank
