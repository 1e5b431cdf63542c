// Plug-ins that must be refused, by the definition this file is compiled with.
#include "mase/passes/plugin.h"

namespace {

using namespace mase::passes;

[[maybe_unused]] PassResult run(const mase::ir::Graph& graph, const Options&, Context&) {
  return {.graph = graph, .info = {}, .hits = {}};
}

}  // namespace

#if defined(OTHER_VERSION)
extern "C" const PluginInfo* mase_plugin() {
  static const PluginInfo kInfo{.abi = {.revision = 999}, .name = "other_version", .passes = {}};
  return &kInfo;
}
#elif defined(TAKEN_NAME)
extern "C" const PluginInfo* mase_plugin() {
  static const Pass kPasses[] = {{.name = "fresh", .run = run}, {.name = "quantize", .run = run}};
  static const PluginInfo kInfo{.name = "taken_name", .passes = kPasses};
  return &kInfo;
}
#elif defined(NO_RUN)
extern "C" const PluginInfo* mase_plugin() {
  static const Pass kPasses[] = {{.name = "idle"}};
  static const PluginInfo kInfo{.name = "no_run", .passes = kPasses};
  return &kInfo;
}
#else  // no entry point
extern "C" int mase_plugn() {
  return 0;
}
#endif
