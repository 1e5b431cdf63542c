// The LibTorch engine as the module's one exported symbol.
#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/version.h>

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

class TorchEngine final : public Engine {
 public:
  TorchEngine() { one_blas_thread(); }

  std::string_view name() const override { return "torch"; }
  std::string version() const override {
    return fmt::format("LibTorch {}, {}", TORCH_VERSION, blas_name());
  }

  std::string why_not(const ir::Graph& graph, const ProgramOptions&) const override {
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
