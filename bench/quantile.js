'use strict';

/** The value that so large a share of sorted ones lies below; undefined where there are none. */
function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

module.exports = { quantile };
