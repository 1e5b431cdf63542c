// Every listed number format through a training: checkpoints, going on, files of graphs, reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "../engine/networks.h"
#include "../numerics/formats.h"
#include "mase/io/graph/load.h"
#include "mase/io/graph/mz.h"
#include "mase/io/graph/quantisation.h"
#include "mase/ir/format_state.h"
#include "mase/passes/analysis/calculate_avg_bits.h"
#include "mase/passes/analysis/report_quantized.h"
#include "mase/passes/analysis/summarize_quantization.h"
#include "mase/passes/passes.h"
#include "mase/passes/transform/quantize.h"
#include "mase/passes/transform/quantize_config.h"
#include "mase/support/error.h"
#include "mase/train/optimiser.h"
#include "mase/train/train.h"
#include "softmax_engine.h"
#include "temporary_folder.h"

namespace mase::train {
namespace {

using ::testing::HasSubstr;

ir::Graph float_network() {
  return engine::test::sequence({"BatchNorm1d(16)", "ReLU()", "Linear(16, 12)", "Linear(12, 5)"});
}

class EachFormat : public ::testing::TestWithParam<const numerics::Format*> {
 protected:
  EachFormat() {
    options_.optimiser = optimiser_options("adam", 0.02, 0);
    options_.batch_size = 32;
    options_.max_epochs = 3;
    options_.seconds_between_checkpoints = 0;
  }
  ir::Graph quantised(const numerics::Precision& precision) const {
    return passes::quantize(
        float_network(),
        {.rules = {{"linear", passes::ArgumentFormats{precision, precision, precision, precision}},
                   {"relu", precision}},
         .sample = {{"x", data_.train.features}}});
  }
  numerics::Precision precision() const {
    return numerics::test::some_precisions(*GetParam()).front();
  }
  FitResult train(ir::Graph graph) {
    return fit(std::move(graph), data_, engine_, options_, {.folder = folder_});
  }
  double loss(const ir::Graph& graph) const { return test(graph, data_.test, engine_, 32).loss; }

  std::filesystem::path folder_ = new_folder();
  const engine::Engine& engine_ = engine::load_engine("native");
  const data::DataSet data_ = testing::blobs(300, 16, 5);
  FitOptions options_;
};

std::string name_of(const ::testing::TestParamInfo<const numerics::Format*>& info) {
  return std::string(info.param->name);
}
INSTANTIATE_TEST_SUITE_P(Listed, EachFormat, ::testing::ValuesIn(numerics::formats()), name_of);

TEST_P(EachFormat, ConfigurationsComeBack) {
  for (const numerics::Precision& precision : numerics::test::some_precisions(*GetParam())) {
    const ir::Graph graph = quantised(precision);
    for (const ir::Node& node : graph) {
      if (!node.is_quantised()) continue;
      const ir::Graph again = passes::quantize(
          float_network(), {.by = passes::By::Name,
                            .rules = {{node.name, passes::quantise_config_of(node)}},
                            .sample = {{"x", data_.train.features}}});
      EXPECT_EQ(again.node(node.name).precision, node.precision);
    }
  }
}

TEST_P(EachFormat, CheckpointsAreTestedAsTheyWereTrained) {
  const FitResult result = train(quantised(precision()));
  ir::Graph loaded = float_network();
  const io::LoadReport report = io::load_parameters(result.last_checkpoint, loaded);
  EXPECT_EQ(report.quantisation, io::quantisation_of(result.graph));
  EXPECT_EQ(loaded, result.graph);
  EXPECT_EQ(loss(loaded), loss(result.graph));
  ir::Graph weights = float_network();
  io::load_parameters(result.last_checkpoint, weights, false, io::Formats::LeaveOut);
  EXPECT_EQ(weights.state().size(), float_network().state().size());
}

TEST_P(EachFormat, GoesOnFromTheFloatNetworkBitForBit) {
  const FitResult whole = train(quantised(precision()));
  folder_ = new_folder();
  options_.max_steps = 13;
  train(quantised(precision()));
  options_.max_steps = -1;
  options_.resume = "last";
  const FitResult result = train(float_network());
  EXPECT_EQ(result.graph, whole.graph);
  EXPECT_EQ(result.val_loss_epoch, whole.val_loss_epoch);
}

TEST_P(EachFormat, FloatCheckpointsFitAndSayWhatStays) {
  const FitResult plain = train(float_network());
  ir::Graph graph = quantised(precision());
  const ir::Graph before = graph;
  const io::LoadReport report = io::load_parameters(plain.last_checkpoint, graph);
  for (const ir::FormatState& state : ir::format_states(graph)) {
    EXPECT_EQ(graph.find_parameter(state.name)->value, before.find_parameter(state.name)->value);
    EXPECT_THAT(report.notes, ::testing::Contains(HasSubstr(state.name)));
  }
}

TEST_P(EachFormat, FilesOfGraphsKeepIt) {
  const ir::Graph graph = quantised(precision());
  const std::filesystem::path path = folder_ / "graph.mz";
  std::filesystem::create_directories(folder_);
  io::write_mz(path, graph);
  EXPECT_EQ(io::read_mz(path).or_throw(), graph);
}

TEST_P(EachFormat, ReportsShowIt) {
  for (const numerics::Precision& precision : numerics::test::some_precisions(*GetParam())) {
    const ir::Graph graph = quantised(precision);
    const passes::QuantizedReport report = passes::report_quantized(graph);
    EXPECT_EQ(report.parameters.size(), 4u);
    EXPECT_THAT(report.text(), HasSubstr(precision.text()));
    const passes::QuantizationSummary summary =
        passes::summarize_quantization(float_network(), graph);
    EXPECT_THAT(ir::repr(summary.to_value()), HasSubstr(precision.text()));
    for (const ir::Node& node : graph) {
      if (node.op != "linear") continue;
      EXPECT_THAT(ops::print_layer(node),
                  HasSubstr(std::string("Linear") + std::string(GetParam()->layer_suffix) + "("));
    }
  }
}

TEST(Formats, ThatLearnNeedsASample) {
  const numerics::Precision lsq = numerics::make_precision("lsq_integer", {{"width", 4}});
  try {
    passes::quantize(float_network(), {.rules = {{"linear", lsq}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("begins with what it sees of the data"));
  }
}

TEST(Formats, MayDifferByArgument) {
  const ir::Dict config{{"data_in_name", "integer"},
                        {"data_in_width", 8},
                        {"data_in_frac_width", 4},
                        {"weight_name", "block_fp"},
                        {"weight_width", 6},
                        {"weight_block_size", ir::List{1, 8}},
                        {"data_out_name", "minifloat_ieee"},
                        {"data_out_width", 8},
                        {"data_out_exponent_width", 4}};
  const ir::Graph graph = passes::quantize(float_network(), {.rules = {{"linear", config}}});
  const ir::Node& node = graph.node("seq_blocks_2");
  EXPECT_EQ(node.precision_of("data_in_0")->text(), "integer(8, 4)");
  EXPECT_EQ(node.precision_of("weight")->text(), "block_fp(6, 8, NA, [1, 8])");
  EXPECT_EQ(node.precision_of("data_out_0")->text(), "minifloat_ieee(8, 4, NA)");
  EXPECT_EQ(node.precision_of("bias"), nullptr);
  EXPECT_EQ(ops::type_text(node), "LinearIntegerBlockFPMinifloatIEEE");
  const ir::Graph again =
      passes::quantize(float_network(), {.rules = {{"linear", passes::quantise_config_of(node)}}});
  EXPECT_EQ(again, graph);
}

}  // namespace
}  // namespace mase::train
