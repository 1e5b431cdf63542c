#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/passes/pass.h"

// summarize_quantization: what quantising changed, node by node and by type of node, and why the
// other nodes were left alone.
namespace mase::passes {

struct NodeComparison {
  std::string original_name;
  std::string name;
  std::string mase_type;       // "module_related_func"
  std::string mase_op;         // "linear"
  std::string original_type;   // "Linear"
  std::string quantised_type;  // "LinearInteger"
  bool changed = false;        // the two types differ
  std::string why;             // the formats of a changed node, else why it was left alone
};

// Nodes of one original type.
struct TypeCount {
  std::string original_type;
  std::string mase_op;  // of the first of them
  std::int64_t total = 0;
  std::int64_t changed = 0;
  std::int64_t unchanged = 0;
};

struct QuantizationSummary {
  std::vector<NodeComparison> nodes;  // in execution order, up to the end of the shorter graph
  std::vector<TypeCount> histogram;   // sorted by type, capitals first

  std::string node_table() const;       // Org style, with the column Why
  std::string histogram_table() const;  // Org style
  std::string text() const;             // both
  std::string node_csv() const;         // seven columns and the row number in front
  std::string histogram_csv() const;
  ir::Value to_value() const;
};

QuantizationSummary summarize_quantization(const ir::Graph& original, const ir::Graph& graph);

// quantize_table.csv, quantize_histogram.csv and, with the reasons, quantize_reasons.csv.
void save_summary(const QuantizationSummary& summary, const std::filesystem::path& folder);
// The histogram among the results, under its log lines; the nodes in the log at level debug.
void print_summary(const QuantizationSummary& summary, const Context& context);

extern const Pass kSummarizeQuantization;

}  // namespace mase::passes

namespace fmt {

template <>
struct formatter<mase::passes::QuantizationSummary> : formatter<std::string_view> {
  template <typename FormatContext>
  auto format(const mase::passes::QuantizationSummary& summary, FormatContext& context) const {
    return formatter<std::string_view>::format(summary.text() + "\n", context);
  }
};

}  // namespace fmt
