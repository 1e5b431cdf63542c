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

// OpenBLAS has threads of its own, which LibTorch's setting does not reach.
void one_blas_thread() {
  void* blas = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_NOLOAD);
  if (!blas) return;
  using SetThreads = void (*)(int);
  const auto set = reinterpret_cast<SetThreads>(dlsym(blas, "openblas_set_num_threads"));
  if (set) set(1);
  dlclose(blas);
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
