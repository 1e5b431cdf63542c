#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/passes/pass.h"

// The numbers that a quantised network really computes with. Parameters stay float in the graph;
// these are their codes and values in the format of their node.
namespace mase::passes {

struct QuantisedParameter {
  std::string name;  // "seq_blocks.2.weight"
  std::string node;  // "seq_blocks_2"
  numerics::Precision precision;
  ir::Tensor values;           // as stored, float32
  ir::Tensor codes;            // int64, same shape
  numerics::Codes encoded;     // the codes with what they share
  ir::Tensor quantised;        // what the codes stand for, float32
  ir::Tensor errors;           // quantised - values
  std::int64_t saturated = 0;  // elements that the range of the format cut off
  double largest_error = 0;    // absolute
  double mean_error = 0;       // of the absolute errors

  // Code i as people read it: "-4/16".
  std::string code_text(std::int64_t i) const;
};

// One argument of a node ("weight", "bias"). Error{Usage} if the node has no such parameter or it
// is not quantised.
QuantisedParameter quantised_parameter(const ir::Graph& graph, const ir::Node& node,
                                       std::string_view argument);

struct QuantizedReport {
  std::vector<QuantisedParameter> parameters;

  // A summary line per parameter, then the first elements of each one by one.
  std::string text(std::int64_t first = 8) const;
  ir::Value to_value() const;  // summaries, without the elements
};

// All of them, in the order of the nodes.
QuantizedReport report_quantized(const ir::Graph& graph);

// Every element: `path` ends in .npz (arrays <parameter>.values, .codes, .quantised, .errors) or
// .json (the same as nested lists). Error{Usage} for other names.
void save_quantized(const QuantizedReport& report, const std::filesystem::path& path);

extern const Pass kReportQuantized;

}  // namespace mase::passes

namespace fmt {

template <>
struct formatter<mase::passes::QuantizedReport> : formatter<std::string_view> {
  template <typename FormatContext>
  auto format(const mase::passes::QuantizedReport& report, FormatContext& context) const {
    return formatter<std::string_view>::format(report.text() + "\n", context);
  }
};

}  // namespace fmt
