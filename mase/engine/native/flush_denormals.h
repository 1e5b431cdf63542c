#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace mase::engine::native {

// While it lives, denormal numbers of this thread count as zero: Adam's memory of a dead unit
// decays into them and would make every later step twice as slow.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : before_(_mm_getcsr()) {
    _mm_setcsr(before_ | 0x8040u);
  }
  ~FlushDenormals() {
    _mm_setcsr(before_);
  }
#else
  FlushDenormals() = default;
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

#if defined(__x86_64__)
 private:
  unsigned before_;
#endif
};

}  // namespace mase::engine::native
