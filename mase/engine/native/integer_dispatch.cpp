// Picks the integer kernels that go with the float kernels at hand.
#include <array>

#include "mase/engine/native/integer_kernels.h"

namespace mase::engine::native {

#if defined(MASE_X86_KERNELS)
namespace avx512vnni {
extern const IntegerKernels kIntegerTable;
}
namespace avx512 {
extern const IntegerKernels kIntegerTable;
}
namespace avx2 {
extern const IntegerKernels kIntegerTable;
}
#endif
namespace portable {
extern const IntegerKernels kIntegerTable;
}

namespace {

struct IntegerCandidate {
  const IntegerKernels* table;
  std::string_view goes_with;  // the float kernels that round alike
  bool (*runs)();
};

#if defined(MASE_X86_KERNELS)
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}
#endif

// Best first.
const std::array kIntegerCandidates = {
#if defined(MASE_X86_KERNELS)
    IntegerCandidate{&avx512vnni::kIntegerTable, "avx512",
                     [] { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }},
    IntegerCandidate{&avx512::kIntegerTable, "avx512", has_avx512},
    IntegerCandidate{
        &avx2::kIntegerTable, "avx2",
        [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
#endif
    IntegerCandidate{&portable::kIntegerTable, "portable", [] { return true; }},
};

}  // namespace

const IntegerKernels& integer_kernels(const Kernels& kernels) {
  const std::string_view set = kernels.name.substr(0, kernels.name.find('_'));
  for (const IntegerCandidate& candidate : kIntegerCandidates) {
    if (candidate.goes_with == set && candidate.runs()) return *candidate.table;
  }
  return *kIntegerCandidates.back().table;
}

const IntegerKernels* find_integer_kernels(std::string_view name) {
  for (const IntegerCandidate& candidate : kIntegerCandidates) {
    if (candidate.table->name == name && candidate.runs()) return candidate.table;
  }
  return nullptr;
}

}  // namespace mase::engine::native
