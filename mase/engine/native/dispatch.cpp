// Picks the kernels for the machine at hand.
#include <array>
#include <cstdlib>

#include "mase/engine/native/kernels.h"

namespace mase::engine::native {

#if defined(MASE_X86_KERNELS)
namespace avx512 {
extern const Kernels kTable;
}
namespace avx2 {
extern const Kernels kTable;
}
#endif
namespace portable {
extern const Kernels kTable;
}

namespace {

struct Candidate {
  const Kernels* table;
  bool (*runs)();
};

// Best first; the last runs everywhere.
const std::array kCandidates = {
#if defined(MASE_X86_KERNELS)
    Candidate{&avx512::kTable,
              [] {
                return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
              }},
    Candidate{&avx2::kTable,
              [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
#endif
    Candidate{&portable::kTable, [] { return true; }},
};

const Kernels& pick() {
  const char* wanted = std::getenv("MASE_NATIVE_ISA");
  bool reached = wanted == nullptr;
  for (const Candidate& candidate : kCandidates) {
    reached = reached || candidate.table->name == wanted;
    if (reached && candidate.runs()) return *candidate.table;
  }
  return *kCandidates.back().table;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = pick();
  return chosen;
}

const Kernels* find_kernels(std::string_view name) {
  for (const Candidate& candidate : kCandidates) {
    if (candidate.table->name == name && candidate.runs()) return candidate.table;
  }
  return nullptr;
}

}  // namespace mase::engine::native
