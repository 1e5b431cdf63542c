// The LibTorch engine as the module's one exported symbol.
#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <cstdlib>
#include <string>

#include "mase/engine/torch/convert.h"
#include "mase/engine/torch/pch.h"
#include "mase/engine/torch/program.h"

namespace mase::engine {
namespace {

// A function of OpenBLAS, whatever its file is called; null where this module runs without it.
template <typename Function>
Function of_open_blas(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

// Debian chooses a BLAS behind a common file name.
std::string blas_name() {
  if (const auto core = of_open_blas<const char* (*)()>("openblas_get_corename")) {
    return fmt::format("OpenBLAS for {}", core());
  }
  return at::hasMKL() ? "MKL" : "reference BLAS (slow: install libopenblas0-pthread)";
}

// OpenBLAS has threads of its own, which LibTorch's setting does not reach.
void one_blas_thread() {
  if (const auto set = of_open_blas<void (*)(int)>("openblas_set_num_threads")) set(1);
}

// Which of its kernels LibTorch takes; the function that says so is not public in version 1.13.
std::string capability() {
  if (const char* named = std::getenv("ATEN_CPU_CAPABILITY"); named && *named) return named;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  if (avx2) return avx512 ? "avx512" : "avx2";
#endif
  return "default";
}

class TorchEngine final : public Engine {
 public:
  TorchEngine() { one_blas_thread(); }

  std::string_view name() const override { return "torch"; }
  std::string version() const override {
    return fmt::format("LibTorch {}, {}", TORCH_VERSION, blas_name());
  }

  std::string instruction_set(const ProgramOptions&) const override {
    return fmt::format("{}, {}", capability(), blas_name());
  }

  std::string why_not(const ir::Graph& graph, const ProgramOptions& options) const override {
    if (options.deterministic) {
      return "its sums depend on the processor, and deterministic results were asked for";
    }
    try {
      torch_engine::make_plan(graph);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Unsupported) throw;
      return error.what();
    }
    return "";
  }

  std::unique_ptr<Program> compile(const ir::Graph& graph,
                                   const ProgramOptions& options) const override {
    return torch_engine::guarded(
        "compile", [&] { return std::make_unique<torch_engine::TorchProgram>(graph, options); });
  }
};

}  // namespace
}  // namespace mase::engine

extern "C" __attribute__((visibility("default"))) const mase::engine::Engine* mase_engine() {
  static const mase::engine::TorchEngine engine;
  return &engine;
}
