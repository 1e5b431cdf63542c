// What an instruction reads is what was last written for that tile, whatever memory is shared:
// every plan's programs are run with names in place of numbers.
#include "mase/engine/native/segments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/engine/native_cases.h"
#include "tests/engine/networks.h"

namespace mase::engine::native {
namespace {

constexpr int kTiles = 3;

// Memory whose cells hold the name of what was written to them.
class NamedMemory {
 public:
  NamedMemory(const Plan& plan, const MemoryPlan& memory)
      : plan_(plan),
        memory_(memory),
        cells_(static_cast<std::size_t>(memory.shared + kTiles * memory.kept)) {}

  void write_value(int value, int tile) {
    write(memory_.values, value, name("value", value, tile));
  }
  void read_value(int value, int tile) { read(memory_.values, value, name("value", value, tile)); }
  void write_gradient(int value, int tile) {
    const int home = home_of(value);
    if (home >= 0) write(memory_.gradients, home, name("gradient", home, tile));
  }
  void read_gradient(int value, int tile) {
    const int home = home_of(value);
    if (home >= 0) read(memory_.gradients, home, name("gradient", home, tile));
  }

 private:
  std::string name(const char* kind, int id, int tile) {
    tile_ = tile;
    return fmt::format("{} {} of tile {}", kind, id, tile);
  }
  int home_of(int value) const {
    const PlanValue& v = plan_.values[static_cast<std::size_t>(value)];
    return v.needs_gradient ? v.gradient_home : -1;
  }
  std::span<std::string> cells(const Places& places, int id) {
    const auto index = static_cast<std::size_t>(id);
    const std::int64_t at = places.at[index] + tile_ * places.pitch[index];
    return std::span(cells_).subspan(static_cast<std::size_t>(at),
                                     static_cast<std::size_t>(plan_.values[index].features));
  }
  void write(const Places& places, int id, const std::string& name) {
    std::ranges::fill(cells(places, id), name);
  }
  void read(const Places& places, int id, const std::string& name) {
    for (const std::string& cell : cells(places, id)) ASSERT_EQ(cell, name);
  }

  const Plan& plan_;
  const MemoryPlan& memory_;
  std::vector<std::string> cells_;
  int tile_ = 0;
};

void run_backward(const PlanStep& step, int tile, NamedMemory& memory) {
  memory.read_gradient(step.out, tile);
  switch (step.kind) {
    case StepKind::Linear:
    case StepKind::Convolution:
    case StepKind::Pointwise:
      memory.read_value(step.a, tile);
      break;
    case StepKind::MaxPool:
      memory.read_value(step.a, tile);
      memory.read_value(step.out, tile);
      break;
    case StepKind::Softmax:
      memory.read_value(step.out, tile);
      break;
    case StepKind::Binary:
      if (step.op != '*') break;
      memory.read_value(step.a, tile);
      memory.read_value(step.b, tile);
      break;
    case StepKind::AveragePool:
    case StepKind::Affine:
    case StepKind::Dropout:
    case StepKind::Quantise:
      break;
  }
  if (step.norm >= 0) return memory.write_gradient(step.out, tile);  // in place, until it is folded
  if (step.accumulate_a) memory.read_gradient(step.a, tile);
  memory.write_gradient(step.a, tile);
  if (step.b < 0) return;
  if (step.accumulate_b) memory.read_gradient(step.b, tile);
  memory.write_gradient(step.b, tile);
}

void run_instruction(const Plan& plan, const Instruction& instruction, int tile,
                     NamedMemory& memory) {
  if (instruction.code == Code::Gather) return memory.write_value(0, tile);
  if (instruction.code == Code::Loss) {
    memory.read_value(plan.result, tile);
    return memory.write_gradient(plan.result, tile);
  }
  const PlanStep& step = plan.steps[static_cast<std::size_t>(instruction.step)];
  if (instruction.code == Code::Backward) return run_backward(step, tile, memory);
  memory.read_value(step.a, tile);
  if (instruction.code == Code::Forward) {
    if (step.b >= 0) memory.read_value(step.b, tile);
    memory.write_value(step.out, tile);
  } else if (instruction.code == Code::NormGradient) {
    memory.read_gradient(step.out, tile);
    if (step.accumulate_a) memory.read_gradient(step.a, tile);
    memory.write_gradient(step.a, tile);
  }
}

void run(const Plan& plan, const Segments& segments, Keep keep) {
  const MemoryPlan places = plan_memory(plan, segments, keep);
  NamedMemory memory(plan, places);
  bool forwards = true;
  for (const Segment& segment : segments) {
    for (int k = 0; k < kTiles; ++k) {
      const int tile = forwards ? k : kTiles - 1 - k;
      for (const Instruction& instruction : segment.instructions) {
        run_instruction(plan, instruction, tile, memory);
        ASSERT_FALSE(::testing::Test::HasFatalFailure());
      }
    }
    forwards = !forwards;
  }
  if (keep == Keep::Needed) return;
  for (int tile = 0; tile < kTiles; ++tile) {
    memory.read_value(0, tile);
    for (const PlanStep& step : plan.steps) memory.read_value(step.out, tile);
  }
}

class SegmentsTest : public ::testing::TestWithParam<int> {};

TEST_P(SegmentsTest, EveryReadFindsWhatWasWritten) {
  const test::NativeCase network = test::native_cases()[static_cast<std::size_t>(GetParam())];
  const Plan plan = make_plan(network.graph);
  run(plan, training_segments(plan, false), Keep::Needed);
  run(plan, training_segments(plan, true), Keep::Needed);
  for (const bool training : {false, true}) {
    run(plan, forward_segments(plan, training), Keep::Needed);
    run(plan, forward_segments(plan, training), Keep::EveryValue);
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, SegmentsTest,
                         ::testing::Range(0, static_cast<int>(test::native_cases().size())),
                         [](const auto& info) {
                           return test::native_cases()[static_cast<std::size_t>(info.param)].name;
                         });

TEST(Segments, EvaluationKeepsNothingOfATile) {
  const Plan plan = make_plan(test::jsc_toy());
  const Segments segments = forward_segments(plan, false);
  EXPECT_EQ(segments.size(), 1u);
  EXPECT_EQ(plan_memory(plan, segments, Keep::Needed).kept, 0);
}

TEST(Segments, RecomputingKeepsInputsOfBatchNormsOnly) {
  const Plan plan = make_plan(test::jsc_toy());
  const auto kept = [&](bool recompute) {
    return plan_memory(plan, training_segments(plan, recompute), Keep::Needed).kept;
  };
  // What batch norms read (16, 8, 8, 5), and the gradients on their way between two segments; those
  // of the last and of the second norm take turns.
  EXPECT_LE(kept(true), 37 + 8 + 8);
  EXPECT_GE(kept(false), kept(true) + 16 + 8 + 8);
}

}  // namespace
}  // namespace mase::engine::native
