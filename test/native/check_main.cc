// Runs the cases that check.h collected: all of them, or those of the file or the name that is
// given. ctest runs each file in a process of its own, from the list that --write-ctest leaves for
// it: a process for each case would load LibTorch anew each time.

#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <set>
#include <string>

#include "check.h"

namespace {

constexpr int kSkipped = 77;

enum class Outcome { kPassed, kFailed, kSkipped };

Outcome Run(const check::Case& test) {
  const int before = check::Failures();
  try {
    test.run();
  } catch (const check::Skipped& skipped) {
    std::cerr << test.name << ": skipped, " << skipped.reason << '\n';
    return Outcome::kSkipped;
  } catch (const check::Abandoned&) {
    // The failed REQUIRE has been printed and counted.
  } catch (const std::exception& error) {
    check::Fail(test.file.c_str(), test.line, "threw " + std::string(error.what()));
  } catch (...) {
    check::Fail(test.file.c_str(), test.line, "threw something that is no std::exception");
  }
  return check::Failures() == before ? Outcome::kPassed : Outcome::kFailed;
}

std::string Stem(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  const size_t begin = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(begin, path.find_last_of('.') - begin);
}

int WriteCtest(const char* program, const char* path) {
  std::set<std::string> names;
  std::set<std::string> files;
  for (const check::Case& test : check::Cases()) {
    files.insert(Stem(test.file));
    if (!names.insert(test.name).second) {
      std::cerr << test.file << ':' << test.line << ": the name \"" << test.name << "\" is taken\n";
      return 1;
    }
  }
  std::ofstream out(path);
  for (const std::string& file : files) {
    out << "add_test(" << file << " [==[" << program << "]==] " << file << ")\n"
        << "set_tests_properties(" << file << " PROPERTIES SKIP_RETURN_CODE " << kSkipped
        << " TIMEOUT 600)\n";
  }
  out.close();
  return out.good() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--write-ctest") == 0) return WriteCtest(argv[0], argv[2]);

  int passed = 0;
  int failed = 0;
  int skipped = 0;
  for (const check::Case& test : check::Cases()) {
    if (argc > 1 && test.name != argv[1] && Stem(test.file) != argv[1]) continue;
    switch (Run(test)) {
      case Outcome::kPassed:
        ++passed;
        break;
      case Outcome::kSkipped:
        ++skipped;
        break;
      case Outcome::kFailed:
        ++failed;
        std::cerr << "FAILED: " << test.name << '\n';
        break;
    }
  }
  std::cout << passed << " passed, " << failed << " failed, " << skipped << " skipped\n";
  if (failed > 0 || passed + skipped == 0) return 1;
  return passed == 0 ? kSkipped : 0;
}
