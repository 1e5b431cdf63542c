// The native engine as a row among the engines.
#include "mase/engine/native/native_engine.h"

#include <fmt/format.h>

#include "mase/engine/native/plan.h"
#include "mase/engine/native/program.h"
#include "mase/support/error.h"

namespace mase::engine::native {
namespace {

// The portable integer kernels round a batch norm twice in one of 2^29 cases, which the wide
// kernels do not: evaluation stays in float there.
IntegerOptions wide_integer_options(const Kernels& wide) {
  IntegerOptions options = integer_options();
  options.enabled = options.enabled && wide.name.starts_with("avx");
  return options;
}

class NativeEngine : public Engine {
 public:
  std::string_view name() const override { return "native"; }
  std::string version() const override { return fmt::format("native ({})", kernels().name); }

  std::string instruction_set(const ProgramOptions& options) const override {
    return options.deterministic ? "" : std::string(kernels().name);
  }

  std::string why_not(const ir::Graph& graph, const ProgramOptions& options) const override {
    if (options.precision != Precision::Float32) return "it computes in float32 only";
    return native::why_not(graph);
  }

  std::unique_ptr<Program> compile(const ir::Graph& graph,
                                   const ProgramOptions& options) const override {
    if (options.precision != Precision::Float32) {
      unsupported("the native engine computes in float32 only", {}, "use --engine torch");
    }
    if (!options.deterministic) return std::make_unique<NativeProgram>(graph, options, kernels());
    const Kernels& wide = wide_kernels();
    return std::make_unique<NativeProgram>(graph, options, wide, wide_integer_options(wide));
  }
};

}  // namespace

const Engine& native_engine() {
  static const NativeEngine engine;
  return engine;
}

}  // namespace mase::engine::native
