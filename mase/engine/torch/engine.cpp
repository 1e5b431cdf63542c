// The LibTorch engine as the module's one exported symbol.
#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>
#include <torch/version.h>

#include <cstring>

#include "mase/engine/torch/convert.h"
#include "mase/engine/torch/pch.h"
#include "mase/engine/torch/program.h"

namespace mase::engine {
namespace {

// Which BLAS the process has loaded: Debian chooses one behind a common file name.
std::string blas_name() {
  bool open_blas = false;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* found) {
        if (info->dlpi_name && std::strstr(info->dlpi_name, "openblas")) {
          *static_cast<bool*>(found) = true;
        }
        return 0;
      },
      &open_blas);
  if (open_blas) return "OpenBLAS";
  return at::hasMKL() ? "MKL" : "reference BLAS (slow: install libopenblas0-pthread)";
}

class TorchEngine final : public Engine {
 public:
  // One thread per tensor operation: LibTorch and its BLAS cut sums by the number of threads, and
  // results must not depend on it.
  TorchEngine() { at::set_num_threads(1); }

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
