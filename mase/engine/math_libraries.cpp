// Environment variables that OpenMP and OpenBLAS read.
#include "mase/engine/math_libraries.h"

#include <cstdlib>

namespace mase::engine {
namespace {

bool set_if_missing(const char* name, const char* value) {
  if (std::getenv(name)) return false;
  setenv(name, value, 0);
  return true;
}

// OpenBLAS knows processors by their model numbers and takes one newer than itself for a Pentium 4
// (0.3.21, that of Debian 12, on an Emerald Rapids): products of matrices then take 2 to 3 times as
// long. Later versions choose by features, as here.
const char* blas_core() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16")) return "Cooperlake";
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq")) {
    return "SkylakeX";
  }
#endif
  return nullptr;  // its own choice
}

}  // namespace

bool prepare_math_libraries() {
  // Spinning OpenMP threads make a step 6 to 20 times slower as soon as another process runs.
  bool missing = set_if_missing("OMP_WAIT_POLICY", "passive");
  missing |= set_if_missing("GOMP_SPINCOUNT", "0");
  // One thread per call is what keeps results equal everywhere.
  missing |= set_if_missing("OPENBLAS_NUM_THREADS", "1");
  if (const char* core = blas_core()) missing |= set_if_missing("OPENBLAS_CORETYPE", core);
  return missing;
}

}  // namespace mase::engine
