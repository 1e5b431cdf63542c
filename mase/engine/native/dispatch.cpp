// Picks the kernels for the machine at hand.
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string>

#include "mase/engine/native/kernels.h"
#include "mase/support/error.h"

namespace mase::engine::native {

#if defined(MASE_X86_KERNELS)
namespace avx512 {
extern const Kernels kTable;
}
namespace avx2 {
extern const Kernels kTable;
}
namespace avx2_wide {
extern const Kernels kTable;
}
#endif
namespace portable {
extern const Kernels kTable;
}
namespace portable_wide {
extern const Kernels kTable;
}

namespace {

struct Candidate {
  const Kernels* table;
  const Kernels* wide;  // with sixteen lanes
  bool (*runs)();
};

// Best first; the last runs everywhere.
const std::array kCandidates = {
#if defined(MASE_X86_KERNELS)
    Candidate{&avx512::kTable, &avx512::kTable,
              [] {
                return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
              }},
    Candidate{&avx2::kTable, &avx2_wide::kTable,
              [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
#endif
    Candidate{&portable::kTable, &portable_wide::kTable, [] { return true; }},
};

std::string names_here() {
  std::string names;
  for (const Candidate& candidate : kCandidates) {
    if (!candidate.runs()) continue;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", candidate.table->name);
  }
  return names;
}

}  // namespace

const Kernels& choose_kernels(std::string_view wanted) {
  for (const Candidate& candidate : kCandidates) {
    const bool named = wanted.empty() || candidate.table->name == wanted;
    if (named && candidate.runs()) return *candidate.table;
    if (named && !wanted.empty()) {
      usage_error(
          fmt::format("MASE_NATIVE_ISA={}: this processor does not have {}", wanted, wanted), {},
          fmt::format("it has {}", names_here()));
    }
  }
  usage_error(fmt::format("MASE_NATIVE_ISA={}: there is no such instruction set here", wanted), {},
              fmt::format("choose from {}, or leave it out: the first of them", names_here()));
}

const Kernels& kernels() {
  static const Kernels& chosen = []() -> const Kernels& {
    const char* wanted = std::getenv("MASE_NATIVE_ISA");
    return choose_kernels(wanted ? wanted : "");
  }();
  return chosen;
}

const Kernels& wide_kernels() {
  const Kernels& best = kernels();
  for (const Candidate& candidate : kCandidates) {
    if (candidate.table == &best) return *candidate.wide;
  }
  internal_error("kernels that are no candidate");
}

const Kernels* find_kernels(std::string_view name) {
  for (const Candidate& candidate : kCandidates) {
    for (const Kernels* table : {candidate.table, candidate.wide}) {
      if (table->name == name && candidate.runs()) return table;
    }
  }
  return nullptr;
}

}  // namespace mase::engine::native
