// The printed tables, against transcripts of the original's runs (jsc-tiny, a trained checkpoint).
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "mase/io/torch/checkpoint.h"
#include "mase/passes/analysis/add_common_metadata.h"
#include "mase/passes/analysis/profile_statistics.h"
#include "mase/passes/analysis/report_node_meta_param.h"
#include "mase/passes/analysis/report_node_shape.h"
#include "mase/passes/analysis/report_node_type.h"
#include "mase/passes/batches.h"
#include "mase/support/terminal.h"
#include "tests/passes/networks.h"
#include "tests/passes/vectors.h"

namespace mase::passes {
namespace {

constexpr const char* kTranscript = "mase_runs/transcripts/passes.txt";

ir::Graph trained() {
  ir::Graph graph = jsc_tiny();
  const io::Checkpoint checkpoint =
      io::read_checkpoint(shared_data() / "mase_runs/tiny32_best.ckpt").or_throw();
  for (const auto& [name, value] : checkpoint.state) graph.find_parameter(name)->value = value;
  return graph;
}

ir::Named<ir::Tensor> batch_of_eight() {
  ir::Tensor x({8, 16}, ir::DType::Float32);
  Random random(1);
  for (float& value : x.values_mut<float>()) value = random.uniform(-2, 2);
  return {{"x", x}};
}

// From the first line that starts with `from` up to the last before one that starts with `until`.
std::string section(const std::string& from, const std::string& until) {
  std::istringstream lines(without_ansi(read_text(shared_data() / kTranscript)));
  std::string out;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    inside = inside || line.starts_with(from);
    if (inside && line.starts_with(until)) break;
    if (inside) out += line + "\n";
  }
  return out;
}

// Transcripts keep no empty lines.
std::string without_empty_lines(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) out += line + "\n";
  }
  return out;
}

TEST(Transcript, TheTableOfNodeTypes) {
  MASE_NEEDS_SHARED_DATA(kTranscript);
  const ir::Graph graph = add_metadata(jsc_tiny(), batch_of_eight(), {.add_value = false});
  EXPECT_EQ(report_node_type(graph) + "\n", section("Node name     Fx Node op", "INFO"));
}

TEST(Transcript, TheShapesAndParametersOfNodes) {
  MASE_NEEDS_SHARED_DATA(kTranscript);
  const ir::Graph graph = add_metadata(trained(), batch_of_eight());
  const std::string expected = without_empty_lines(section("INFO     x:", "INFO     Saved"));
  EXPECT_EQ(without_empty_lines("INFO     " + report_node_shape(graph)), expected);
}

// Puts the numbers of a printed table into the metadata, in the order in which they are printed.
// Counts must be ours already.
void take_numbers(ir::Graph& graph, const std::string& table) {
  const std::regex entry("'(count|max|mean|min|range|variance)': (-?[0-9.e+-]+)");
  auto next = std::sregex_iterator(table.begin(), table.end(), entry);
  for (ir::Node& node : graph.nodes_mut()) {
    auto& args = node.meta.software->args;
    std::vector<std::string> names;
    for (const auto& [name, item] : args) names.push_back(name);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      auto stat = ir::find(args, name)->stat.as_dict();
      for (auto& [statistic, result] : stat) {
        ir::Dict numbers = result.as_dict();
        std::sort(numbers.begin(), numbers.end(),
                  [](const auto& a, const auto& b) { return a.first < b.first; });
        for (auto& [key, value] : numbers) {
          ASSERT_NE(next, std::sregex_iterator()) << node.name << " " << key;
          ASSERT_EQ(key, (*next)[1].str()) << node.name;
          if (key == "count") {
            EXPECT_EQ(ir::repr(value), (*next)[2].str()) << node.name << " " << name;
          } else {
            value = std::stod((*next)[2].str());
          }
          ++next;
        }
        result = numbers;
      }
      ir::find(args, name)->stat = stat;
    }
  }
  EXPECT_EQ(next, std::sregex_iterator());
}

TEST(Transcript, TheTableOfStatistics) {
  MASE_NEEDS_SHARED_DATA(kTranscript);
  ir::Tensor rows({32, 16}, ir::DType::Float32);
  ir::Graph graph = add_metadata(trained(), batch_of_eight(), {.add_value = false});
  graph = profile_statistics(
      graph,
      {.by = By::Type,
       .target_weight_nodes = {"linear"},
       .target_activation_nodes = {"relu"},
       .weight_statistics = {{"variance_precise"}},
       .activation_statistics = {{"range_quantile", {{"quantile", 0.97}}}},
       .num_samples = 32},
      batches({.features = rows, .labels = ir::Tensor({32}, ir::DType::Int64)}, 8));
  const auto& weight = ir::find(graph.node("seq_blocks_2").meta.software->args, "weight")->stat;
  EXPECT_NEAR(weight.find("variance_precise")->find("variance")->as_number(), 0.15178358554840088,
              1e-7);
  EXPECT_NEAR(weight.find("variance_precise")->find("mean")->as_number(), -0.03980967402458191,
              1e-7);

  const std::string table = section("+--------------+", "INFO     Node meta");
  ASSERT_NO_FATAL_FAILURE(take_numbers(graph, table));
  EXPECT_EQ(report_node_meta_param(graph, {{"software"}}) + "\n", table);
}

}  // namespace
}  // namespace mase::passes
