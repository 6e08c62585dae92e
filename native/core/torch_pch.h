#ifndef FEEDRANK_TORCH_PCH_H_
#define FEEDRANK_TORCH_PCH_H_

// Only CMake includes this header. It is what every LibTorch-heavy source would parse again, so
// nothing of our own belongs in it: a change here compiles all of them anew.
#include <torch/script.h>

#endif  // FEEDRANK_TORCH_PCH_H_
