// Quantisation-aware training keeps its number formats: in checkpoints, in tests of them, and when
// a stopped run goes on from the float network that the program builds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "mase/io/graph/load.h"
#include "mase/io/graph/quantisation.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/error.h"
#include "mase/train/optimiser.h"
#include "mase/train/train.h"
#include "softmax_engine.h"
#include "temporary_folder.h"

namespace mase::train {
namespace {

using testing::blobs;
using ::testing::HasSubstr;

ir::Graph float_network() {
  return engine::test::sequence({"BatchNorm1d(16)", "ReLU()", "Linear(16, 12)", "Linear(12, 5)"});
}
ir::Graph quantised_network(int width = 4, int frac_width = 2) {
  return engine::test::quantised(float_network(), "linear", width, frac_width);
}

class Quantised : public ::testing::Test {
 protected:
  Quantised() {
    options_.optimiser = optimiser_options("adam", 0.05, 0);
    options_.batch_size = 32;
    options_.max_epochs = 4;
    options_.seconds_between_checkpoints = 0;
  }
  FitResult train(ir::Graph graph) {
    return fit(std::move(graph), data_, engine_, options_, {.folder = folder_});
  }
  double loss(const ir::Graph& graph) const { return test(graph, data_.test, engine_, 32).loss; }
  std::string refused(ir::Graph graph) {
    try {
      train(std::move(graph));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Usage);
      return error.what();
    }
    return "went on";
  }

  std::filesystem::path folder_ = new_folder();
  const engine::Engine& engine_ = engine::load_engine("native");
  const data::DataSet data_ = blobs(300, 16, 5);
  FitOptions options_;
};

TEST_F(Quantised, ACheckpointIsTestedAsItWasTrained) {
  const FitResult result = train(quantised_network());
  ir::Graph loaded = float_network();
  const io::LoadReport report = io::load_parameters(result.last_checkpoint, loaded);
  EXPECT_EQ(report.quantisation, io::quantisation_of(quantised_network()));
  EXPECT_EQ(loss(loaded), loss(result.graph));
  ir::Graph weights = float_network();
  io::load_parameters(result.last_checkpoint, weights, false, io::Formats::LeaveOut);
  EXPECT_NE(loss(weights), loss(result.graph));
}

TEST_F(Quantised, GoesOnFromTheFloatNetworkBitForBit) {
  const FitResult whole = train(quantised_network());
  for (const ir::Graph& begin : {quantised_network(), float_network()}) {
    folder_ = new_folder();
    options_.resume.reset();
    options_.max_steps = 13;
    train(quantised_network());
    options_.max_steps = -1;
    options_.resume = "last";
    const FitResult result = train(begin);
    EXPECT_EQ(result.graph, whole.graph);
    EXPECT_EQ(result.val_loss_epoch, whole.val_loss_epoch);
  }
}

TEST_F(Quantised, DoesNotGoOnWithAnotherNetwork) {
  train(quantised_network());
  options_.max_epochs = 6;
  options_.resume = "last";
  EXPECT_THAT(refused(quantised_network(8, 4)), HasSubstr("quantised otherwise"));
}

TEST_F(Quantised, DoesNotGoOnWithAFloatRun) {
  train(float_network());
  options_.max_epochs = 6;
  options_.resume = "last";
  EXPECT_THAT(
      refused(quantised_network()),
      HasSubstr("trained the float network, and here 2 nodes (seq_blocks_2, seq_blocks_3)"));
}

}  // namespace
}  // namespace mase::train
