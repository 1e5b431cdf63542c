#pragma once

// Fetches what a later step will read while a kernel does its own work. A few lines with every turn
// of its loop cost little; all of them at once hold the processor's line buffers against the work.
// Compiled into the kernels of one instruction set: MASE_ISA names it.

#include "mase/engine/native/kernels.h"

namespace mase::engine::native::MASE_ISA {

[[gnu::always_inline]] inline void fetch_some(ReadAhead& ahead) {
  constexpr int kLines = 4;
  constexpr int kLineBytes = 64;
  if (ahead.lines < kLines) return;
  for (int i = 0; i < kLines; ++i) __builtin_prefetch(ahead.at + i * kLineBytes, 0, 3);
  ahead.at += kLines * kLineBytes;
  ahead.lines -= kLines;
}

}  // namespace mase::engine::native::MASE_ISA
