#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mase/engine/native/integer_bounds.h"
#include "mase/engine/native/integer_fold.h"
#include "mase/engine/native/integer_kernels.h"
#include "mase/engine/native/plan.h"

// Evaluation of a quantised plan with integers where that is proven to give the very bits of the
// float evaluation. Between layers that are, activations travel as codes: the sums of one go
// through batch norm, activation and rounding straight into the codes that the next one reads.
// Everything else is left to the float steps.
namespace mase::engine::native {

// The parameters as the float steps read them.
struct EvaluationWeights {
  std::span<const float* const> weight;     // by step, quantised; null for other steps
  std::span<const float* const> bias;       // null: none
  std::span<const float* const> norm_gain;  // by Plan::norms, folded
  std::span<const float* const> norm_shift;
};

// Where a tile's data are.
struct TileView {
  const float* table = nullptr;         // sample-major
  const std::uint32_t* rows = nullptr;  // null: the first n
  int n = 0;
  int stride = 0;
  float* values = nullptr;           // of the tile
  const std::int64_t* at = nullptr;  // of each value, in floats per sample
};

class IntegerProgram {
 public:
  enum class Code {
    Gather,  // the rows as floats; left to the caller, as the next two
    FloatStep,
    Loss,
    EncodeRows,    // rows of the table to codes
    Encode,        // a float value to codes
    LinearCodes,   // a layer and the pointwise step behind it, to codes
    LinearFloats,  // a layer, or with the pointwise step behind it, to floats
  };
  struct Instruction {
    Code code;
    int step = -1;  // FloatStep
    int from = -1;  // values of the plan
    int to = -1;
    int layer = -1;   // into layers_
    int finish = -1;  // into finishes_
  };

  IntegerProgram(const Plan& plan, const IntegerKernels& kernels, const IntegerOptions& options);

  // Decides anew which layers are exact, and packs them.
  void bind(const EvaluationWeights& weights);
  // Empty when no layer is evaluated with integers. The caller runs the codes that are its own.
  const std::vector<Instruction>& instructions() const { return instructions_; }
  // False if the tile holds values without a code (NaN, or beyond 32 bits): it must be evaluated
  // in float. Layers fetch `ahead` on the way.
  bool run(const Instruction& instruction, const TileView& tile, ReadAhead& ahead);

  // How each linear layer of the last bind is evaluated: "fc1: 8-bit codes, 16-bit sums" or
  // "fc1: float: its input is not quantised to a fixed-point grid".
  const std::vector<std::string>& report() const { return report_; }

 private:
  struct Candidate {  // a linear step that could be evaluated with integers
    int step = -1;
    LayerCodes codes;
    LayerProof proof;
    int layer = -1;  // into layers_, if exact
    bool exact() const { return proof.why.empty(); }
  };
  struct alignas(64) Line {
    std::uint32_t words[16];
  };
  // What the kernel of an instruction reads, resolved.
  struct Operands {
    IntegerLayer layer;
    Encoding encoding;
    Decoding decoding;
  };
  // A value of the plan that exists as codes.
  struct Coded {
    bool wanted = false;    // by some exact layer
    bool as_float = false;  // by someone else as well
    bool bytes = true;
    CodeSize size = CodeSize::Bytes;
    int at = 0;  // words per sample before it
  };

  void examine(Candidate& candidate, const EvaluationWeights& weights) const;
  void choose_sizes();
  void lay_out();
  void emit(int step, const EvaluationWeights& weights);
  void emit_linear(int step, const EvaluationWeights& weights);
  void emit_coded(int step, const EvaluationWeights& weights);
  void emit_encoding(int step);
  int reader_of(int value) const;
  bool only_coded(int value) const;
  StepInput input_of(const PlanStep& step, const EvaluationWeights& weights) const;
  int keep(Folded folded);
  void resolve();
  std::string text(const Candidate& candidate) const;
  const Candidate* candidate_at(int step) const;
  std::uint32_t* codes(int value, const TileView& tile);
  float* floats(int value, const TileView& tile) const;

  const Plan& plan_;
  const IntegerKernels& kernels_;
  IntegerOptions options_;
  std::vector<int> producer_;  // step of a value; -1 = the input
  std::vector<int> readers_;   // of a value, the result counted
  std::vector<Candidate> candidates_;
  std::vector<Coded> coded_;  // by value
  std::vector<PackedLayer> layers_;
  std::vector<Folded> finishes_;
  std::vector<Operands> operands_;  // by finish: every instruction has its own
  // By step: the instruction for it and the layer before it, made when that layer was met. It runs
  // in the step's place, because the memory of its result may hold something else until then.
  std::vector<std::optional<Instruction>> merged_;
  std::vector<Instruction> instructions_;
  std::vector<std::string> report_;
  std::vector<Line> memory_;
  int words_ = 0;  // of all coded values, per sample
};

}  // namespace mase::engine::native
