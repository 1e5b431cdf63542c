// What the native engine makes of a graph, for people.
#include "mase/engine/native/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "mase/support/table.h"

namespace mase::engine::native {
namespace {

std::string_view name(StepKind kind) {
  switch (kind) {
    case StepKind::Linear:
      return "linear";
    case StepKind::Convolution:
      return "convolution";
    case StepKind::MaxPool:
      return "max pool";
    case StepKind::AveragePool:
      return "average pool";
    case StepKind::Pointwise:
      return "pointwise";
    case StepKind::Affine:
      return "affine";
    case StepKind::Binary:
      return "binary";
    case StepKind::Softmax:
      return "softmax";
    case StepKind::Dropout:
      return "dropout";
    case StepKind::Quantise:
      return "quantise";
  }
  return "";
}

std::string activation_text(const PlanStep& step) {
  switch (step.activation) {
    case Activation::None:
      return "";
    case Activation::Relu:
      return "relu";
    case Activation::Clamp:
      return fmt::format("clamp to {} .. {}", step.low, step.high);
    case Activation::Sigmoid:
      return "sigmoid";
    case Activation::Tanh:
      return "tanh";
  }
  return "";
}

std::string grid_text(const Grid& grid) {
  return fmt::format("to codes {} .. {} of {}", grid.low, grid.high, grid.step);
}

// What a step does beside what its kind says, in the order in which it does it.
std::string does(const PlanStep& step) {
  std::vector<std::string> parts;
  const auto format = [&](std::string_view what, const std::optional<PlanFormat>& of) {
    if (of) parts.push_back(fmt::format("{} {}", what, of->precision.text()));
  };
  format("weight", step.weight_format);
  format("bias", step.bias_format);
  if (step.norm >= 0) parts.emplace_back("batch norm");
  if (step.quantise_in) parts.push_back(grid_text(*step.quantise_in));
  if (const std::string text = activation_text(step); !text.empty()) parts.push_back(text);
  if (step.quantise_out) parts.push_back(grid_text(*step.quantise_out));
  if (step.kind == StepKind::Quantise) parts.push_back(step.format.precision.text());
  if (step.kind == StepKind::Binary) parts.emplace_back(1, step.op);
  if (step.kind == StepKind::Affine) {
    parts.push_back(fmt::format("{} x + {}", step.factor, step.offset));
  }
  if (step.kind == StepKind::Dropout) parts.push_back(fmt::format("p = {}", step.p));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string steps_table(const Plan& plan) {
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const PlanStep& step = plan.steps[i];
    const std::string reads =
        step.b < 0 ? fmt::format("{}", step.a) : fmt::format("{}, {}", step.a, step.b);
    const auto features = plan.values[static_cast<std::size_t>(step.out)].features;
    rows.push_back({static_cast<std::int64_t>(i), std::string(name(step.kind)), step.node, reads,
                    static_cast<std::int64_t>(step.out), static_cast<std::int64_t>(features),
                    does(step)});
  }
  return format_table({"Step", "Kind", "Node", "Reads", "Gives", "Features", "Does"}, rows,
                      {.style = TableStyle::Orgtbl});
}

std::string instruction_text(const Instruction& instruction) {
  switch (instruction.code) {
    case Code::Gather:
      return "gather rows";
    case Code::Moments:
      return fmt::format("moments of {}", instruction.step);
    case Code::Forward:
      return fmt::format("{}", instruction.step);
    case Code::Loss:
      return "loss";
    case Code::Backward:
      return fmt::format("back {}", instruction.step);
    case Code::NormGradient:
      return fmt::format("back norm {}", instruction.step);
  }
  return "";
}

std::string segment_text(const Segment& segment) {
  std::vector<std::string> parts;
  for (const Instruction& instruction : segment.instructions) {
    parts.push_back(instruction_text(instruction));
  }
  std::string text = fmt::format("{}", fmt::join(parts, ", "));
  if (segment.finish == Finish::FoldMoments) {
    text += fmt::format("; then the moments of {} over the batch", segment.step);
  } else if (segment.finish == Finish::FoldGradient) {
    text += fmt::format("; then the gradient of {}'s norm over the batch", segment.step);
  }
  return text;
}

}  // namespace

std::string explain(const Plan& plan, const Segments& segments, const MemoryPlan& memory,
                    std::span<const std::string> integers) {
  std::string text = fmt::format(
      "Steps; tiles of up to {} samples, value 0 is the input, {} the "
      "result\n{}\n",
      plan.tile, plan.result, steps_table(plan));
  text += "\nA training step, tile by tile within each segment\n";
  for (std::size_t i = 0; i < segments.size(); ++i) {
    text += fmt::format("{}. {}\n", i + 1, segment_text(segments[i]));
  }
  text += fmt::format(
      "A sample keeps {} numbers of 4 bytes from one segment to the next and takes {} of what all "
      "tiles use in turn.\n",
      memory.kept, memory.shared);
  if (!integers.empty()) text += "\nEvaluation with integers\n";
  for (const std::string& line : integers) text += line + "\n";
  return text;
}

}  // namespace mase::engine::native
