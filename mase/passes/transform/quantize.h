#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/numerics/format.h"
#include "mase/passes/pass.h"
#include "mase/passes/select.h"
#include "mase/support/diagnostics.h"

// quantize: puts number formats on the arguments of chosen nodes. Parameters stay float and keep
// their names; the engine quantises them, and the inputs, whenever the node runs.
namespace mase::passes {

// Formats by what they are put on. An argument without one stays float; `data_in` is required for
// every op, `weight` for those that have one.
struct ArgumentFormats {
  std::optional<numerics::Precision> data_in = std::nullopt;
  std::optional<numerics::Precision> weight = std::nullopt;
  std::optional<numerics::Precision> bias = std::nullopt;
  std::optional<numerics::Precision> data_out = std::nullopt;  // of the result
};

// One rule: an op, the name of a node, or a pattern for whole names; and the configuration of the
// nodes it selects. The rule called "default" takes quantisable nodes that no other rule selects;
// without it they are left alone.
struct QuantizeRule {
  std::string selects;
  ir::Dict config;        // quantize_config.h; {"name": None} = leave alone
  bool optional = false;  // selecting nothing is no error
  Location where = {};
  ir::Named<Location> places = {};  // of the configuration's keys

  QuantizeRule(std::string selects, ir::Dict config, bool optional = false);
  // The same format for everything; numerics::Precision{} = leave alone.
  QuantizeRule(std::string selects, const numerics::Precision& all, bool optional = false);
  QuantizeRule(std::string selects, const ArgumentFormats& formats, bool optional = false);
};

struct QuantizeOptions {
  By by = By::Type;
  std::vector<QuantizeRule> rules;
  // Formats that learn of the data (a step size) begin with what the float network makes of these
  // inputs, by placeholder, computed by this engine.
  ir::Named<ir::Tensor> sample = {};
  std::string engine = "auto";
};

// Throws one Error{Usage} that lists every problem: configurations that do not hold, rules that
// select nothing, nodes that are quantised already. `hits` receives what each rule selected.
// The graph's metadata, where it has any, shows the formats.
ir::Graph quantize(const ir::Graph& graph, const QuantizeOptions& options,
                   std::vector<RuleHits>* hits = nullptr);

// From the table [passes.quantize]. Problems go to `diagnostics`.
QuantizeOptions read_quantize_options(const Options& options, Diagnostics& diagnostics);

extern const Pass kQuantize;

}  // namespace mase::passes
