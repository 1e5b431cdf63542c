// Compiles a plan into segments, and gives its arrays their places by when they live.
#include "mase/engine/native/segments.h"

#include <limits>

#include "mase/engine/native/memory_layout.h"

namespace mase::engine::native {
namespace {

// The step to run once more for this value, -1 if there is none that costs next to nothing.
int cheap_producer(const Plan& plan, int value) {
  for (int i = 0; i < static_cast<int>(plan.steps.size()); ++i) {
    const PlanStep& step = plan.steps[i];
    if (step.out != value || step.kind != StepKind::Pointwise) continue;
    const bool cheap =
        step.activation != Activation::Sigmoid && step.activation != Activation::Tanh;
    return cheap ? i : -1;
  }
  return -1;
}

void add_backward(const Plan& plan, bool recompute, Segments& segments) {
  for (int i = static_cast<int>(plan.steps.size()) - 1; i >= 0; --i) {
    const PlanStep& step = plan.steps[i];
    if (!plan.values[step.out].needs_gradient) continue;
    const bool reads_input = step.kind == StepKind::Linear || step.kind == StepKind::Convolution;
    const int producer = recompute && reads_input ? cheap_producer(plan, step.a) : -1;
    if (producer >= 0) segments.back().instructions.push_back({Code::Forward, producer});
    segments.back().instructions.push_back({Code::Backward, i});
    if (step.norm < 0) continue;
    segments.back().finish = Finish::FoldGradient;
    segments.back().step = i;
    segments.emplace_back();
    if (plan.values[step.a].needs_gradient) {
      segments.back().instructions.push_back({Code::NormGradient, i});
    }
  }
  if (segments.back().instructions.empty()) segments.pop_back();
}

// What is known of an array while the instructions are gone through.
struct Usage {
  Lifetime lifetime;
  int segment = -1;      // of the last use
  int made_in = -1;      // the segment that wrote it last
  bool crosses = false;  // a segment reads what an earlier one wrote
};

class UsageWalk {
 public:
  UsageWalk(const Plan& plan, const Segments& segments)
      : plan_(plan), values_(plan.values.size()), gradients_(plan.values.size()) {
    for (std::size_t v = 0; v < plan.values.size(); ++v) {
      values_[v].lifetime.size = gradients_[v].lifetime.size = plan.values[v].features;
    }
    for (const Segment& segment : segments) {
      for (const Instruction& instruction : segment.instructions) {
        ++time_;
        visit(instruction);
      }
      ++segment_;
    }
  }
  const std::vector<Usage>& values() const { return values_; }
  const std::vector<Usage>& gradients() const { return gradients_; }

 private:
  void visit(const Instruction& instruction) {
    if (instruction.code == Code::Gather) return write(0);
    if (instruction.code == Code::Loss) {
      read(plan_.result);
      return use_gradient(plan_.result);
    }
    const PlanStep& step = plan_.steps[instruction.step];
    const bool back = instruction.code == Code::Backward;
    if (!back || needs_inputs(step)) read(step.a);
    if (instruction.code == Code::Moments) return;
    if (step.b >= 0 && (!back || needs_inputs(step))) read(step.b);
    if (instruction.code == Code::Forward) return write(step.out);
    if (back && needs_output(step)) read(step.out);
    for (const int value : {step.a, step.b, step.out}) {
      if (value >= 0) use_gradient(value);
    }
  }
  // What the way back needs.
  static bool needs_inputs(const PlanStep& step) {
    return step.kind == StepKind::Linear || step.kind == StepKind::Convolution ||
           step.kind == StepKind::MaxPool || step.kind == StepKind::Pointwise ||
           (step.kind == StepKind::Binary && step.op == '*') ||
           (step.kind == StepKind::Quantise && step.format.precision.format->gradient != nullptr);
  }
  static bool needs_output(const PlanStep& step) {
    return step.kind == StepKind::MaxPool || step.kind == StepKind::Softmax;
  }
  void read(int value) {
    Usage& usage = values_[value];
    usage.crosses |= usage.made_in != segment_;
    usage.lifetime.use(time_);
  }
  void write(int value) {
    values_[value].made_in = segment_;
    values_[value].lifetime.use(time_);
  }
  // A gradient may be set or added to: what matters is whether two segments touch it.
  void use_gradient(int value) {
    if (!plan_.values[value].needs_gradient) return;
    Usage& usage = gradients_[plan_.values[value].gradient_home];
    usage.crosses |= usage.segment >= 0 && usage.segment != segment_;
    usage.segment = segment_;
    usage.lifetime.use(time_);
  }

  const Plan& plan_;
  std::vector<Usage> values_;
  std::vector<Usage> gradients_;
  int time_ = 0;
  int segment_ = 0;
};

}  // namespace

Segments forward_segments(const Plan& plan, bool training) {
  Segments segments(1);
  segments.back().instructions.push_back({Code::Gather});
  for (int i = 0; i < static_cast<int>(plan.steps.size()); ++i) {
    if (training && plan.steps[i].norm >= 0) {
      segments.back().instructions.push_back({Code::Moments, i});
      segments.back().finish = Finish::FoldMoments;
      segments.back().step = i;
      segments.emplace_back();
    }
    segments.back().instructions.push_back({Code::Forward, i});
  }
  segments.back().instructions.push_back({Code::Loss});
  return segments;
}

Segments training_segments(const Plan& plan, bool recompute) {
  Segments segments = forward_segments(plan, true);
  add_backward(plan, recompute, segments);
  return segments;
}

MemoryPlan plan_memory(const Plan& plan, const Segments& segments, Keep keep) {
  const UsageWalk walk(plan, segments);
  const std::size_t count = plan.values.size();
  // Values and gradients side by side, each among those that are kept or among those that are not.
  std::vector<Lifetime> kept(2 * count);
  std::vector<Lifetime> shared(2 * count);
  std::vector<bool> is_kept(2 * count);
  for (std::size_t i = 0; i < 2 * count; ++i) {
    const bool value = i < count;
    const Usage& usage = value ? walk.values()[i] : walk.gradients()[i - count];
    is_kept[i] = usage.crosses || (value && keep == Keep::EveryValue);
    (is_kept[i] ? kept : shared)[i] = usage.lifetime;
    if (value && keep == Keep::EveryValue) kept[i].last = std::numeric_limits<int>::max();
  }
  const MemoryLayout kept_layout = lay_out(kept);
  const MemoryLayout shared_layout = lay_out(shared);
  MemoryPlan memory{.shared = shared_layout.size, .kept = kept_layout.size};
  for (std::size_t i = 0; i < 2 * count; ++i) {
    Places& places = i < count ? memory.values : memory.gradients;
    places.at.push_back(is_kept[i] ? shared_layout.size + kept_layout.at[i] : shared_layout.at[i]);
    places.pitch.push_back(is_kept[i] ? kept_layout.size : 0);
  }
  return memory;
}

}  // namespace mase::engine::native
