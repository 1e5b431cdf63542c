// Against runs of the original on real jets, and its figures.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "../shared_data.h"
#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/io/graph/load.h"
#include "mase/models/model.h"
#include "mase/support/error.h"
#include "mase/train/train.h"

namespace mase::train {
namespace {

constexpr const char* kJets = "jsc/jsc_from_images.h5";

ir::Graph loaded(const std::string& model, const data::DataSet& data, const char* checkpoint) {
  ir::Graph graph = models::build(model, data.info);
  io::load_parameters(shared_data() / "mase_runs" / checkpoint, graph);
  return graph;
}

class Golden : public ::testing::TestWithParam<const char*> {
 protected:
  const engine::Engine* engine() const {
    try {
      return &engine::load_engine(GetParam());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Unsupported);  // a build without it
      return nullptr;
    }
  }
};

// What `ch test jsc-toy jsc --batch-size 256` of the original printed, to the last digit of the
// accuracy; the loss depends on the order of sums in single precision.
TEST_P(Golden, TestOfJscToy) {
  MASE_NEEDS_SHARED_DATA(kJets);
  if (!engine()) GTEST_SKIP() << "this build has no engine " << GetParam();
  const data::DataSet jets = data::open((shared_data() / kJets).string());
  const TestResult result =
      test(loaded("jsc-toy", jets, "toy32_best.ckpt"), jets.test, *engine(), 256);
  EXPECT_EQ(result.rows, 4850);
  EXPECT_EQ(result.accuracy, 0.7604123950004578);
  EXPECT_NEAR(result.loss, 0.7138963937759399, 1.5e-7);
}

TEST_P(Golden, TestOfJscTiny) {
  MASE_NEEDS_SHARED_DATA(kJets);
  if (!engine()) GTEST_SKIP() << "this build has no engine " << GetParam();
  const data::DataSet jets = data::open((shared_data() / kJets).string());
  const TestResult result =
      test(loaded("jsc-tiny", jets, "tiny32_best.ckpt"), jets.test, *engine(), 128);
  EXPECT_NEAR(result.accuracy, 0.578763, 5e-7);
  EXPECT_NEAR(result.loss, 1.117803, 2e-4);
}

INSTANTIATE_TEST_SUITE_P(Engines, Golden, ::testing::Values("torch", "native"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace mase::train
