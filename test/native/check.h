#ifndef FEEDRANK_TEST_NATIVE_CHECK_H_
#define FEEDRANK_TEST_NATIVE_CHECK_H_

// The C++ tests' own few macros. No C++ test library comes with the compiler or from a package
// manager that this project uses already, and these are all that the tests need.
//
//   TEST_CASE("a catalog keeps ids") {
//     EXPECT(catalog.size() == 1);
//     EXPECT_EQ(catalog.id(0), 42);
//     EXPECT_NEAR(score, 0.5, 1e-6);
//     EXPECT_THROWS(catalog.Find(7), std::out_of_range);
//   }
//
// A failed expectation is printed and the case goes on; REQUIRE ends the case. The names avoid
// CHECK, which LibTorch's logging headers define.

#include <cmath>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace check {

struct Case {
  std::string name;
  std::string file;
  int line;
  void (*run)();
};

inline std::vector<Case>& Cases() {
  static std::vector<Case> cases;
  return cases;
}

inline int& Failures() {
  static int failures = 0;
  return failures;
}

struct Register {
  Register(const char* name, const char* file, int line, void (*run)()) {
    Cases().push_back({name, file, line, run});
  }
};

struct Abandoned {};
struct Skipped {
  std::string reason;
};

inline void Fail(const char* file, int line, const std::string& what) {
  ++Failures();
  std::cerr << file << ':' << line << ": " << what << '\n';
}

template <typename T>
std::string Show(const T& value) {
  if constexpr (requires(std::ostream & out) { out << value; }) {
    std::ostringstream out;
    out.precision(17);
    out << value;
    return out.str();
  } else {
    return "(a value that cannot be printed)";
  }
}

template <typename A, typename B>
void Equal(const A& actual, const B& expected, const char* text, const char* file, int line) {
  if (!(actual == expected)) {
    Fail(file, line, std::string(text) + " is " + Show(actual) + ", not " + Show(expected));
  }
}

inline void Near(double actual, double expected, double tolerance, const char* text,
                 const char* file, int line) {
  // The comparison is negated so that a NaN fails it.
  if (!(std::abs(actual - expected) <= tolerance)) {
    Fail(file, line,
         std::string(text) + " is " + Show(actual) + ", not within " + Show(tolerance) + " of " +
             Show(expected));
  }
}

}  // namespace check

#define CHECK_JOIN_(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN_(a, b)

#define TEST_CASE(name)                                             \
  static void CHECK_JOIN(CheckCase, __LINE__)();                    \
  static const ::check::Register CHECK_JOIN(check_case_, __LINE__)( \
      name, __FILE__, __LINE__, &CHECK_JOIN(CheckCase, __LINE__));  \
  static void CHECK_JOIN(CheckCase, __LINE__)()

#define EXPECT(...)                                                                  \
  do {                                                                               \
    if (!(__VA_ARGS__)) ::check::Fail(__FILE__, __LINE__, #__VA_ARGS__ " is false"); \
  } while (false)

#define REQUIRE(...)                                               \
  do {                                                             \
    if (!(__VA_ARGS__)) {                                          \
      ::check::Fail(__FILE__, __LINE__, #__VA_ARGS__ " is false"); \
      throw ::check::Abandoned{};                                  \
    }                                                              \
  } while (false)

#define EXPECT_EQ(actual, expected) \
  ::check::Equal((actual), (expected), #actual, __FILE__, __LINE__)

#define EXPECT_NEAR(actual, expected, tolerance) \
  ::check::Near((actual), (expected), (tolerance), #actual, __FILE__, __LINE__)

#define EXPECT_THROWS(expression, type)                                                       \
  do {                                                                                        \
    bool check_threw = false;                                                                 \
    try {                                                                                     \
      static_cast<void>(expression);                                                          \
    } catch (const type&) {                                                                   \
      check_threw = true;                                                                     \
    }                                                                                         \
    if (!check_threw) ::check::Fail(__FILE__, __LINE__, #expression " did not throw " #type); \
  } while (false)

#define SKIP(reason) \
  throw ::check::Skipped { reason }

#endif  // FEEDRANK_TEST_NATIVE_CHECK_H_
