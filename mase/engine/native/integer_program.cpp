// Which steps of a plan are evaluated with integers, in what form, and running them.
#include "mase/engine/native/integer_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace mase::engine::native {
namespace {

int fraction_of(const Grid& grid) {
  return std::ilogb(grid.scale);
}

}  // namespace

IntegerProgram::IntegerProgram(const Plan& plan, const IntegerKernels& kernels,
                               const IntegerOptions& options)
    : plan_(plan), kernels_(kernels), options_(options) {
  producer_.assign(plan.values.size(), -1);
  readers_.assign(plan.values.size(), 0);
  for (int i = 0; i < static_cast<int>(plan.steps.size()); ++i) {
    const PlanStep& step = plan.steps[i];
    producer_[step.out] = i;
    ++readers_[step.a];
    if (step.b >= 0) ++readers_[step.b];
    if (step.kind == StepKind::Linear) candidates_.push_back({.step = i, .codes = {}, .proof = {}});
  }
  ++readers_[plan.result];
}

void IntegerProgram::bind(const EvaluationWeights& weights) {
  instructions_.clear();
  layers_.clear();
  finishes_.clear();
  report_.clear();
  for (Candidate& candidate : candidates_) examine(candidate, weights);
  choose_sizes();
  lay_out();
  for (Candidate& candidate : candidates_) {
    candidate.layer = static_cast<int>(layers_.size());
    const int input = plan_.steps[candidate.step].a;
    if (candidate.exact()) {
      layers_.push_back(pack(candidate.codes, candidate.proof, coded_[input].size));
    }
    report_.push_back(text(candidate));
  }
  if (layers_.empty()) return;
  merged_.assign(plan_.steps.size(), std::nullopt);
  for (int i = 0; i < static_cast<int>(plan_.steps.size()); ++i) {
    if (merged_[i]) {
      instructions_.push_back(*merged_[i]);
    } else {
      emit(i, weights);
    }
  }
  resolve();
  instructions_.push_back({.code = Code::Loss});
  const bool reads_input =
      std::any_of(instructions_.begin(), instructions_.end(), [&](const Instruction& instruction) {
        if (instruction.code == Code::Encode) return instruction.from == 0;
        if (instruction.code == Code::Loss) return plan_.result == 0;
        if (instruction.code != Code::FloatStep) return false;
        const PlanStep& step = plan_.steps[instruction.step];
        return step.a == 0 || step.b == 0;
      });
  if (reads_input) instructions_.insert(instructions_.begin(), {.code = Code::Gather});
}

// The codes of a linear step and whether its sums are exact.
void IntegerProgram::examine(Candidate& candidate, const EvaluationWeights& weights) const {
  const PlanStep& step = plan_.steps[candidate.step];
  candidate.proof = {};
  std::string& why = candidate.proof.why;
  if (!options_.enabled) {
    why = "integers are switched off";
    return;
  }
  const int producer = producer_[step.a];
  const PlanStep* before = producer >= 0 ? &plan_.steps[producer] : nullptr;
  if (!before || before->kind != StepKind::Pointwise || !before->quantise_out) {
    why = "its input is not on a fixed-point grid";
    return;
  }
  const auto weight_grid =
      step.weight_format ? grid_of(step.weight_format->precision) : std::nullopt;
  if (!weight_grid) {
    why = "its weight is not on a fixed-point grid";
    return;
  }
  const auto bias_grid = step.bias_format ? grid_of(step.bias_format->precision) : std::nullopt;
  if (step.bias >= 0 && !bias_grid) {
    why = "its bias is not on a fixed-point grid";
    return;
  }
  const CodeRange range = code_range(*before);
  if (range.low < -32768 || range.high > 32767) {
    why = "the codes of its input have more than 16 bits";
    return;
  }
  LayerCodes& codes = candidate.codes;
  codes.inputs = plan_.values[step.a].features;
  codes.outputs = plan_.values[step.out].features;
  codes.low = static_cast<int>(range.low);
  codes.high = static_cast<int>(range.high);
  codes.fraction = fraction_of(*before->quantise_out) + fraction_of(*weight_grid);
  codes.bias_fraction = bias_grid ? fraction_of(*bias_grid) : 0;
  const auto count = static_cast<std::size_t>(plan_.parameters[step.weight].count);
  codes.weight.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const float code = weights.weight[candidate.step][i] * weight_grid->scale;
    if (!(std::abs(code) <= 32768)) {
      why = "the codes of its weight have more than 16 bits";
      return;
    }
    codes.weight[i] = static_cast<std::int32_t>(code);
  }
  codes.bias.assign(static_cast<std::size_t>(codes.outputs), 0.0f);
  if (const float* bias = weights.bias[candidate.step]) {
    std::copy_n(bias, codes.outputs, codes.bias.begin());
  }
  candidate.proof = prove(codes, kernels_, options_);
}

// Bytes where every reader allows them; a reader that allows nothing else then drops out.
void IntegerProgram::choose_sizes() {
  coded_.assign(plan_.values.size(), {});
  for (const Candidate& c : candidates_) {
    if (c.exact()) coded_[plan_.steps[c.step].a].bytes &= c.proof.bytes;
  }
  for (Candidate& c : candidates_) {
    if (!c.exact()) continue;
    Coded& input = coded_[plan_.steps[c.step].a];
    if (!input.bytes && !c.proof.halves) {
      c.proof.why = "another layer reads its input in 16 bits";
      continue;
    }
    input.wanted = true;
    input.size = input.bytes ? CodeSize::Bytes : CodeSize::Halves;
  }
  for (int i = 0; i < static_cast<int>(plan_.steps.size()); ++i) {
    const PlanStep& step = plan_.steps[i];
    const Candidate* candidate = candidate_at(i);
    if (!candidate || !candidate->exact()) coded_[step.a].as_float = true;
    if (step.b >= 0) coded_[step.b].as_float = true;
  }
  coded_[plan_.result].as_float = true;
}

void IntegerProgram::lay_out() {
  words_ = 0;
  for (std::size_t v = 0; v < coded_.size(); ++v) {
    if (!coded_[v].wanted) continue;
    coded_[v].at = words_;
    words_ += words_of(plan_.values[v].features, coded_[v].size);
  }
}

const IntegerProgram::Candidate* IntegerProgram::candidate_at(int step) const {
  const auto found = std::find_if(candidates_.begin(), candidates_.end(),
                                  [&](const Candidate& c) { return c.step == step; });
  return found == candidates_.end() ? nullptr : &*found;
}

bool IntegerProgram::only_coded(int value) const {
  return coded_[value].wanted && !coded_[value].as_float;
}

// The step that alone reads a value; -1 if there are none or several.
int IntegerProgram::reader_of(int value) const {
  if (readers_[value] != 1) return -1;
  for (int i = 0; i < static_cast<int>(plan_.steps.size()); ++i) {
    if (plan_.steps[i].a == value) return i;
  }
  return -1;
}

StepInput IntegerProgram::input_of(const PlanStep& step, const EvaluationWeights& weights) const {
  StepInput input{.features = plan_.values[step.out].features, .largest = {}};
  if (step.norm >= 0) {
    input.norm_gain = weights.norm_gain[step.norm];
    input.norm_shift = weights.norm_shift[step.norm];
  }
  return input;
}

int IntegerProgram::keep(Folded folded) {
  finishes_.push_back(std::move(folded));
  return static_cast<int>(finishes_.size()) - 1;
}

void IntegerProgram::emit(int step, const EvaluationWeights& weights) {
  const PlanStep& s = plan_.steps[step];
  const Candidate* candidate = candidate_at(step);
  if (candidate && candidate->exact()) return emit_linear(step, weights);
  if (only_coded(s.out)) return emit_coded(step, weights);
  instructions_.push_back({.code = Code::FloatStep, .step = step});
  if (coded_[s.out].wanted) emit_encoding(step);
}

// The results of a step, quantised floats, as codes.
void IntegerProgram::emit_encoding(int step) {
  const PlanStep& s = plan_.steps[step];
  const auto padded = static_cast<std::size_t>((plan_.values[s.out].features + 15) / 16 * 16);
  const CodeRange range = code_range(s);
  Folded exact;
  exact.gain.assign(padded, s.quantise_out->scale);
  exact.shift.assign(padded, 0.0f);
  exact.encoding.low = static_cast<int>(range.low);
  exact.encoding.high = static_cast<int>(range.high);
  instructions_.push_back(
      {.code = Code::Encode, .from = s.out, .to = s.out, .finish = keep(std::move(exact))});
}

// A step whose result is wanted as codes only.
void IntegerProgram::emit_coded(int step, const EvaluationWeights& weights) {
  const PlanStep& s = plan_.steps[step];
  Folded folded;
  if (!fold(s, input_of(s, weights), folded)) {
    instructions_.push_back({.code = Code::FloatStep, .step = step});
    return emit_encoding(step);
  }
  const bool rows = s.a == 0 && coded_[s.out].size == CodeSize::Bytes;
  instructions_.push_back({.code = rows ? Code::EncodeRows : Code::Encode,
                           .from = s.a,
                           .to = s.out,
                           .finish = keep(std::move(folded))});
}

// A layer, with the pointwise step behind it where that is the only reader and folds.
void IntegerProgram::emit_linear(int step, const EvaluationWeights& weights) {
  const PlanStep& s = plan_.steps[step];
  const Candidate& candidate = *candidate_at(step);
  const double unit = std::ldexp(1.0, -candidate.codes.fraction);
  Instruction instruction{
      .code = Code::LinearFloats, .from = s.a, .to = s.out, .layer = candidate.layer};
  const int reader = reader_of(s.out);
  if (reader >= 0 && candidate.proof.bias_in_sum) {
    const PlanStep& next = plan_.steps[reader];
    StepInput input = input_of(next, weights);
    input.unit = unit;
    input.largest = candidate.proof.largest;
    Folded folded;
    const bool to_codes = only_coded(next.out);
    if ((to_codes || !next.quantise_out) && fold(next, input, folded)) {
      instruction.code = to_codes ? Code::LinearCodes : Code::LinearFloats;
      instruction.to = next.out;
      instruction.finish = keep(std::move(folded));
      merged_[reader] = instruction;
      return;
    }
  }
  Folded plain;
  plain.gain.assign(static_cast<std::size_t>(candidate.codes.outputs), static_cast<float>(unit));
  plain.shift = candidate.codes.bias;
  if (candidate.proof.bias_in_sum) std::fill(plain.shift.begin(), plain.shift.end(), 0.0f);
  plain.decoding.low = -std::numeric_limits<float>::infinity();
  plain.decoding.high = std::numeric_limits<float>::infinity();
  instruction.finish = keep(std::move(plain));
  instructions_.push_back(instruction);
}

std::string IntegerProgram::text(const Candidate& candidate) const {
  const PlanStep& step = plan_.steps[candidate.step];
  if (!candidate.exact()) return fmt::format("{}: float: {}", step.node, candidate.proof.why);
  if (coded_[step.a].size == CodeSize::Halves) {
    return fmt::format("{}: 16-bit codes", step.node);
  }
  if (!kernels_.adds_in_16_bits) return fmt::format("{}: 8-bit codes", step.node);
  if (!layers_[candidate.layer].start16.empty())
    return fmt::format("{}: 8-bit codes, 16-bit sums", step.node);
  return fmt::format("{}: 8-bit codes, 16-bit sums of {}", step.node, 2 * candidate.proof.run);
}

std::uint32_t* IntegerProgram::codes(int value, const TileView& tile) {
  return memory_.data()->words + static_cast<std::ptrdiff_t>(coded_[value].at) * tile.stride;
}

float* IntegerProgram::floats(int value, const TileView& tile) const {
  return tile.values + tile.at[value] * tile.stride;
}

// Pointers into layers_ and finishes_, which are complete.
void IntegerProgram::resolve() {
  operands_.assign(finishes_.size(), {});
  for (const Instruction& instruction : instructions_) {
    if (instruction.finish < 0) continue;
    const Folded& finish = finishes_[instruction.finish];
    Operands& operands = operands_[instruction.finish];
    if (instruction.layer >= 0) operands.layer = layers_[instruction.layer].layer();
    operands.encoding = finish.encode(coded_[instruction.to].size);
    operands.decoding = finish.decode();
  }
}

bool IntegerProgram::run(const Instruction& instruction, const TileView& tile, ReadAhead& ahead) {
  const auto lines = static_cast<std::size_t>(words_) * static_cast<std::size_t>(tile.stride) / 16;
  if (memory_.size() < lines) memory_.resize(lines);
  const auto& [layer, encoding, decoding] = operands_[instruction.finish];
  switch (instruction.code) {
    case Code::EncodeRows:
      return kernels_.encode_rows(encoding, tile.table, tile.rows, tile.n,
                                  plan_.values[instruction.from].features,
                                  codes(instruction.to, tile), tile.stride);
    case Code::Encode:
      return kernels_.encode(encoding, floats(instruction.from, tile),
                             plan_.values[instruction.from].features, tile.n,
                             codes(instruction.to, tile), tile.stride);
    case Code::LinearCodes:
      kernels_.linear_codes(layer, codes(instruction.from, tile), encoding,
                            codes(instruction.to, tile), tile.n, tile.stride, ahead);
      return true;
    case Code::LinearFloats:
      kernels_.linear_floats(layer, codes(instruction.from, tile), decoding,
                             floats(instruction.to, tile), tile.n, tile.stride, ahead);
      return true;
    case Code::Gather:
    case Code::FloatStep:
    case Code::Loss:
      return true;  // the caller's
  }
  return true;
}

}  // namespace mase::engine::native
