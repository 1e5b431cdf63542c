#include "mase/passes/analysis/report_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "mase/numerics/format.h"
#include "mase/passes/transform/quantize.h"
#include "tests/passes/networks.h"

namespace mase::passes {
namespace {

using testing::HasSubstr;

ir::Named<ir::Tensor> batch() {
  return {{"x", ir::Tensor({8, 16}, ir::DType::Float32)}};
}

std::string after_first_line(const std::string& text) {
  return text.substr(text.find('\n') + 1);
}

// Batch norm, activation and rounding are one step, and a step of training stops wherever the batch
// as a whole must be known.
TEST(ReportPlan, ShowsStepsSegmentsMemoryAndIntegers) {
  const ir::Graph graph = quantize(jsc_tiny(), {.rules = {{"linear", numerics::integer(8, 4)}}});
  const std::string text = after_first_line(report_plan(graph, batch(), "native"));
  const std::size_t integers = text.find("Evaluation with integers");
  EXPECT_EQ(text.substr(0, integers),
            R"(Steps; tiles of up to 256 samples, value 0 is the input, 5 the result
|   Step | Kind      | Node         |   Reads |   Gives |   Features | Does                                             |
|--------+-----------+--------------+---------+---------+------------+--------------------------------------------------|
|      0 | pointwise | seq_blocks_0 |       0 |       3 |         16 | batch norm, relu, to codes -128 .. 127 of 0.0625 |
|      1 | linear    | seq_blocks_2 |       3 |       4 |          5 | weight integer(8, 4), bias integer(8, 4)         |
|      2 | pointwise | seq_blocks_3 |       4 |       5 |          5 | relu                                             |

A training step, tile by tile within each segment
1. gather rows, moments of 0; then the moments of 0 over the batch
2. 0, 1, 2, loss, back 2, back 1, back 0; then the gradient of 0's norm over the batch
A sample keeps 16 numbers of 4 bytes from one segment to the next and takes 47 of what all tiles use in turn.

)");
  // How sums are kept depends on the instruction set.
  EXPECT_THAT(text.substr(integers), HasSubstr("seq_blocks_2: 8-bit codes"));
}

TEST(ReportPlan, NamesWhatStaysInFloatAndOtherFormats) {
  const numerics::Precision small =
      numerics::make_precision("minifloat_ieee", {{"width", 8}, {"exponent_width", 4}});
  const ir::Graph graph = quantize(jsc_tiny(), {.rules = {{"linear", small}}});
  const std::string text = report_plan(graph, batch(), "native");
  EXPECT_THAT(text, HasSubstr("minifloat_ieee(8, 4, NA)"));
  EXPECT_THAT(text, HasSubstr("float: its input is not on a fixed-point grid"));
}

TEST(ReportPlan, IsAPass) {
  std::ostringstream out;
  Context context{.out = &out, .dummy_input = batch(), .engine = "native"};
  const PassResult result = run_pass(kReportPlan, jsc_tiny(), Options(), context);
  EXPECT_EQ(out.str(), report_plan(jsc_tiny(), batch(), "native"));
  EXPECT_EQ(result.info.find("plan")->as_text(), out.str());
}

}  // namespace
}  // namespace mase::passes
