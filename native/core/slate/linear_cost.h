#pragma once

#include <cstdint>

namespace feedrank {

/// Milliseconds that grow with the number of rows.
struct CostLine {
  double fixed = 0;
  double each = 0;

  double at(double rows) const { return fixed + each * rows; }
  /// The most rows that fit into `ms`; infinite where rows cost nothing, negative where not even
  /// none fit.
  double most_within(double ms) const;

  CostLine& operator+=(const CostLine& other) {
    fixed += other.fixed;
    each += other.each;
    return *this;
  }
  friend CostLine operator+(CostLine a, const CostLine& b) { return a += b; }
};

/// What a stage costs, learnt while it serves: a least-squares line through (rows, milliseconds)
/// whose weights decay, so that some twenty requests tell of a change. While all requests have one
/// number of rows the cost counts as proportional to it.
class LinearCost {
 public:
  /// Each observation weighs this much less with every newer one.
  static constexpr double kDecay = 0.95;
  /// Before so many have been made nothing is predicted. The first is not counted: it readies what
  /// later ones find ready.
  static constexpr uint32_t kLeastObservations = 4;
  /// One observation counts for at most this many times what was expected, and a millisecond: a
  /// thread that was once held up says little about the next request.
  static constexpr double kMostSurprise = 4;
  /// Requests that may do without the stage for its cost before its estimate is doubted; it halves
  /// with each further so many, until the stage is tried again.
  static constexpr double kPatience = 128;

  /// Numbers that are negative or not finite are passed over.
  void record(double rows, double ms);
  /// A request did without the stage because of what it is expected to cost.
  void pass_over() { passed_over_ += 1; }

  /// The same line as a first guess of what something similar costs: it weighs as much as one
  /// observation, so that a few of them overrule it.
  LinearCost as_guess() const;

  /// What is expected; nothing where too little is known.
  CostLine line() const;
  double at(double rows) const { return line().at(rows); }
  bool known() const { return seen_ >= kLeastObservations; }

 private:
  CostLine fitted() const;
  double doubt() const;

  // Decayed sums over observations.
  double weight_ = 0;
  double rows_ = 0;
  double rows_squared_ = 0;
  double ms_ = 0;
  double rows_ms_ = 0;
  uint32_t seen_ = 0;
  double passed_over_ = 0;
};

}  // namespace feedrank
