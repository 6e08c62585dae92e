#pragma once

namespace feedrank {

/// What is gathered of one slice of readers or one group of items, every part decayed alike.
struct SliceSums {
  double impressions = 0;
  double clicks = 0;
  double exposure = 0;  // Σ 1 / log2(position + 2) over the items of slates
  double scored = 0;    // items of slates whose score counts
  double mean = 0;      // of their scores
  double squares = 0;   // Σ (score − mean)²

  /// Takes in scores of which there are `count` (weighted), with this mean and sum of squares
  /// around it: Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for
  /// computing sample variances". Sums of squares around 0 would cancel where scores lie close
  /// together and far from 0.
  void add_scores(double count, double their_mean, double their_squares) {
    const double all = scored + count;
    if (!(all > 0)) return;
    const double apart = their_mean - mean;
    mean += apart * (count / all);
    squares += their_squares + apart * apart * (scored * (count / all));
    scored = all;
  }

  /// Multiplies every sum; a mean stays what it is.
  void scale(double factor) {
    impressions *= factor;
    clicks *= factor;
    exposure *= factor;
    scored *= factor;
    squares *= factor;
  }
};

}  // namespace feedrank
