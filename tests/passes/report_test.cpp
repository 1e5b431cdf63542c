// The reports, against what the original prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "mase/passes/analysis/add_common_metadata.h"
#include "mase/passes/analysis/report_graph.h"
#include "mase/passes/analysis/report_node_meta_param.h"
#include "mase/passes/analysis/report_node_shape.h"
#include "mase/passes/analysis/report_node_type.h"
#include "tests/passes/networks.h"
#include "tests/passes/vectors.h"

namespace mase::passes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ir::Graph tiny_with_metadata(bool add_value = false) {
  return add_metadata(jsc_tiny(), {{"x", ir::Tensor({8, 16}, ir::DType::Float32)}},
                      {.add_value = add_value});
}

TEST(ReportGraph, OfTheReferenceNetworks) {
  MASE_NEEDS_SHARED_DATA("mase_runs/vectors/graphs");
  const std::vector<std::pair<std::string, ir::Graph>> networks{{"jsc-tiny__jsc", jsc_tiny()},
                                                                {"jsc-toy__jsc", jsc_toy()},
                                                                {"jsc-s__jsc", jsc_s()},
                                                                {"toy__toy_tiny", toy()},
                                                                {"toy_tiny__toy_tiny", toy_tiny()}};
  for (const auto& [name, graph] : networks) {
    EXPECT_EQ(report_graph(graph),
              read_text(shared_data() / "mase_runs/vectors/graphs" / (name + ".report_graph.txt")))
        << name;
  }
}

TEST(ReportGraph, GoesToTheFileAndNowhereElse) {
  const std::string file = testing::TempDir() + "report_graph_test/report.txt";
  std::ostringstream out;
  Context context{.out = &out};
  Diagnostics diagnostics;
  const Options options = check_options(kReportGraph, {{"file_name", file}}, {}, diagnostics);
  run_pass(kReportGraph, jsc_tiny(), options, context);
  EXPECT_EQ(out.str(), "");
  EXPECT_EQ(read_text(file), report_graph(jsc_tiny()));
}

TEST(ReportGraph, WithoutAFileItIsPrintedAndKeptInTheOutputFolder) {
  const std::string folder = testing::TempDir() + "report_graph_folder";
  std::ostringstream out;
  Context context{.out = &out, .folder = folder};
  Diagnostics diagnostics;
  run_pass(kReportGraph, jsc_tiny(), check_options(kReportGraph, {}, {}, diagnostics), context);
  EXPECT_EQ(out.str(), report_graph(jsc_tiny()));
  EXPECT_EQ(read_text(folder + "/report_graph.txt"), out.str());
}

TEST(ReportGraph, TheFullStyleListsAllNodes) {
  const std::string text = report_graph(jsc_tiny(), {ReportGraphOptions::Style::Full});
  EXPECT_THAT(text, HasSubstr("opcode       name          target        args             kwargs\n"
                              "-----------  ------------  ------------  ---------------  --------\n"
                              "placeholder  x             x             ()               {}\n"
                              "call_module  seq_blocks_0  seq_blocks.0  (x,)             {}\n"));
  EXPECT_THAT(text, HasSubstr("===================== Graph Overview =====================\n"
                              "Network overview:\n{'placeholder': 1,"));
}

TEST(ReportGraph, AsJson) {
  Context context{.json = true};
  Diagnostics diagnostics;
  const PassResult result =
      run_pass(kReportGraph, jsc_tiny(), check_options(kReportGraph, {}, {}, diagnostics), context);
  EXPECT_EQ(result.info.find("counts")->find("call_module")->as_int(), 4);
  EXPECT_EQ(result.info.find("layers")->as_list().size(), 4u);
}

TEST(ReportNodeType, IsTheOriginalsTable) {
  EXPECT_EQ(report_node_type(tiny_with_metadata()),
            "Node name     Fx Node op    Mase type            Mase op       Value type\n"
            "------------  ------------  -------------------  ------------  ------------\n"
            "x             placeholder   placeholder          placeholder   NA\n"
            "seq_blocks_0  call_module   module               batch_norm1d  float\n"
            "seq_blocks_1  call_module   module_related_func  relu          float\n"
            "seq_blocks_2  call_module   module_related_func  linear        float\n"
            "seq_blocks_3  call_module   module_related_func  relu          float\n"
            "output        output        output               output        NA");
}

TEST(ReportNodeType, PrintsTheTableAndLogsUnderTheNameUsersKnow) {
  std::ostringstream out;
  std::vector<std::string> lines;
  Context context{.out = &out, .info = [&](std::string_view line) { lines.emplace_back(line); }};
  run_pass(kReportNodeType, tiny_with_metadata(), Options(), context);
  EXPECT_THAT(lines, ElementsAre("Inspecting graph [add_common_node_type_analysis_pass]", ""));
  EXPECT_EQ(out.str(), report_node_type(tiny_with_metadata()) + "\n");
}

TEST(ReportNodeType, AsJsonItPrintsAndLogsNothing) {
  std::ostringstream out;
  std::vector<std::string> lines;
  Context context{
      .out = &out, .info = [&](std::string_view line) { lines.emplace_back(line); }, .json = true};
  const PassResult result = run_pass(kReportNodeType, tiny_with_metadata(), Options(), context);
  EXPECT_EQ(out.str(), "");
  EXPECT_THAT(lines, ElementsAre());
  EXPECT_EQ(result.info.as_list().size(), 6u);
}

TEST(ReportNodeShape, PrintsNamesAndShapes) {
  std::ostringstream out;
  std::vector<std::string> lines;
  Context context{.out = &out, .info = [&](std::string_view line) { lines.emplace_back(line); }};
  run_pass(kReportNodeShape, tiny_with_metadata(), Options(), context);
  EXPECT_THAT(out.str(),
              testing::StartsWith(
                  "x\nseq_blocks_0\nseq_blocks_1\nseq_blocks_2\nseq_blocks_3\noutput\n"
                  "x:\nin:\nout:\ndata_out_0 = [8, 16]\n\n"
                  "seq_blocks_0:\nin:\ndata_in_0 = [8, 16]\n"
                  "weight = {'type': 'float', 'precision': [32], 'shape': [16], 'from': None}\n"));
  EXPECT_THAT(out.str(), HasSubstr("output:\nin:\nout:\ndata_out_0 = [8, 5]\n\n"));
  EXPECT_THAT(lines, ElementsAre("Inspecting graph [add_common_node_shape_analysis_pass]", ""));
}

TEST(ReportNodeShape, WithValuesParametersPrintAsParameters) {
  EXPECT_THAT(report_node_shape(tiny_with_metadata(true)),
              HasSubstr("'from': None, 'value': Parameter containing:\ntensor("));
}

TEST(ReportNodeMetaParam, WritesTheTableToItsFile) {
  const std::string file = testing::TempDir() + "meta_param_test/deep/report";
  std::vector<std::string> lines;
  Context context{.info = [&](std::string_view line) { lines.emplace_back(line); }};
  Diagnostics diagnostics;
  const Options options =
      check_options(kReportNodeMetaParam, {{"which", ir::List{"software"}}, {"save_path", file}},
                    {}, diagnostics);
  const PassResult result = run_pass(kReportNodeMetaParam, tiny_with_metadata(), options, context);
  const std::string table = report_node_meta_param(tiny_with_metadata(), {{"software"}});
  EXPECT_THAT(lines, ElementsAre("Inspecting graph [add_common_meta_param_analysis_pass]", "",
                                 "Node meta param table is saved to " + file));
  EXPECT_EQ(read_text(file), table + "\n");
  EXPECT_EQ(result.info.find("x")->as_dict().size(), 1u);
}

TEST(ReportNodeMetaParam, AnUnknownKindIsRefused) {
  EXPECT_THROW(report_node_meta_param(tiny_with_metadata(), {{"softwre"}}), Error);
}

}  // namespace
}  // namespace mase::passes
