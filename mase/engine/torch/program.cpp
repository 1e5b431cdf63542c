// Forward, training step and captures over a compiled plan, with LibTorch's autograd.
#include "mase/engine/torch/program.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "mase/engine/torch/convert.h"
#include "mase/engine/torch/pch.h"
#include "mase/ops/op.h"
#include "mase/support/suggest.h"
#include "mase/support/table.h"

namespace mase::engine::torch_engine {
namespace {

// Rows of `table` by index, bytes unchanged.
at::Tensor gather_rows(const ir::Tensor& table, std::span<const std::uint32_t> rows) {
  std::vector<std::int64_t> shape = table.shape();
  shape[0] = static_cast<std::int64_t>(rows.size());
  at::Tensor out = at::empty(shape, at::TensorOptions(scalar_type(table.dtype())));
  const auto count = static_cast<std::size_t>(table.dim(0));
  const std::size_t bytes = count == 0 ? 0 : table.bytes() / count;
  const std::byte* from = table.data();
  auto* to = static_cast<std::byte*>(out.data_ptr());
  for (std::uint32_t row : rows) {
    if (row >= count) internal_error(fmt::format("row {} of a table with {} rows", row, count));
    std::memcpy(to, from + row * bytes, bytes);
    to += bytes;
  }
  return out;
}

// How many rows have their largest logit at the label; the first of equal ones counts and NaN is
// larger than all numbers, as for torch.argmax.
template <typename T>
std::int64_t count_correct(const at::Tensor& logits, const at::Tensor& labels) {
  const std::int64_t classes = logits.size(1);
  const T* row = logits.data_ptr<T>();
  const std::int64_t* label = labels.data_ptr<std::int64_t>();
  std::int64_t correct = 0;
  for (std::int64_t i = 0; i < logits.size(0); ++i, row += classes) {
    std::int64_t best = 0;
    for (std::int64_t k = 1; k < classes && !std::isnan(row[best]); ++k) {
      if (row[k] > row[best] || std::isnan(row[k])) best = k;
    }
    correct += best == label[i] ? 1 : 0;
  }
  return correct;
}

std::string listed(const std::vector<std::string>& names) {
  const std::size_t shown = std::min<std::size_t>(names.size(), 5);
  std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

}  // namespace

// Analyses and gradient checks run in training mode without leaving a trace.
class TorchProgram::KeepBuffers {
 public:
  KeepBuffers(const TorchProgram& program, Mode mode) : program_(program) {
    if (mode == Mode::Eval) return;
    for (std::size_t i : program.buffers_) kept_.push_back(program.tensors_[i].clone());
  }
  ~KeepBuffers() {
    const at::NoGradGuard no_gradients;
    for (std::size_t k = 0; k < kept_.size(); ++k) {
      program_.tensors_[program_.buffers_[k]].copy_(kept_[k]);
    }
  }
  KeepBuffers(const KeepBuffers&) = delete;
  KeepBuffers& operator=(const KeepBuffers&) = delete;

 private:
  const TorchProgram& program_;
  std::vector<at::Tensor> kept_;
};

TorchProgram::TorchProgram(const ir::Graph& graph, const ProgramOptions& options)
    : graph_(graph), plan_(make_plan(graph)), options_(options), inputs_(graph.placeholders()) {
  type_ = options.precision == Precision::Float64 ? at::kDouble : at::kFloat;
  for (const ir::Node& node : graph.nodes()) nodes_.push_back(node.name);
  for (const ir::Parameter& parameter : graph.parameters()) {
    const at::Tensor borrowed = borrow(parameter.value);
    const at::ScalarType type = borrowed.is_floating_point() ? type_ : borrowed.scalar_type();
    at::Tensor own = borrowed.to(type, /*non_blocking=*/false, /*copy=*/true);
    if (parameter.is_buffer) {
      buffers_.push_back(tensors_.size());
    } else {
      own.set_requires_grad(true);
      trained_.push_back({.name = parameter.name, .value = own});
    }
    names_.push_back(parameter.name);
    tensors_.push_back(std::move(own));
  }
}

at::Tensor TorchProgram::as_input(at::Tensor value) const {
  return value.is_floating_point() ? value.to(type_) : value;
}

Frame TorchProgram::frame(std::span<const at::Tensor> inputs, Mode mode, std::uint64_t step) const {
  if (inputs.size() != plan_.placeholders.size()) {
    usage_error(fmt::format("the network reads {} inputs ({}), but {} are given", inputs_.size(),
                            fmt::join(inputs_, ", "), inputs.size()));
  }
  // One thread per tensor operation: LibTorch and its BLAS cut sums by the number of threads (a
  // layer of 8 outputs at batch 64 already differs), and results must not depend on it. The setting
  // is the process's, so a host that also uses LibTorch may have changed it.
  if (at::get_num_threads() != 1) at::set_num_threads(1);
  Frame out{.slots = std::vector<Slot>(plan_.slots),
            .parameters = tensors_,
            .mode = mode,
            .precision = options_.precision,
            .seed = options_.seed,
            .step = step};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    out.slots[plan_.placeholders[i]] = as_input(inputs[i]);
  }
  return out;
}

Frame TorchProgram::frame(std::span<const ir::Tensor> inputs, Mode mode, std::uint64_t step) const {
  if (inputs.size() == plan_.placeholders.size()) check_shapes(inputs);
  std::vector<at::Tensor> borrowed;
  for (const ir::Tensor& input : inputs) borrowed.push_back(borrow(input));
  return frame(borrowed, mode, step);
}

void TorchProgram::check_shapes(std::span<const ir::Tensor> inputs) const {
  std::vector<ir::Shape> shapes;
  ir::Named<ops::TensorType> types;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    shapes.push_back(inputs[i].shape());
    types.emplace_back(inputs_[i], ops::TensorType{inputs[i].shape(), inputs[i].dtype()});
  }
  if (shapes == checked_) return;
  ops::infer_types(graph_, types);
  checked_ = std::move(shapes);
}

ir::Tensor TorchProgram::forward(std::span<const ir::Tensor> inputs, Mode mode,
                                 std::uint64_t step) {
  const c10::InferenceMode no_gradients;
  Frame f = frame(inputs, mode, step);
  return copy_out(f.in_full(run(plan_, f)));
}

ir::Named<std::vector<ir::Tensor>> TorchProgram::capture_inputs(std::span<const ir::Tensor> inputs,
                                                                std::span<const std::string> nodes,
                                                                Mode mode) {
  ir::Named<std::vector<ir::Tensor>> out;
  for (const std::string& node : nodes) {
    if (std::find(nodes_.begin(), nodes_.end(), node) == nodes_.end()) {
      usage_error(fmt::format("No node named {} found in graph", node), {},
                  did_you_mean(node, nodes_));
    }
    out.emplace_back(node, std::vector<ir::Tensor>{});
  }
  const c10::InferenceMode no_gradients;
  const KeepBuffers keep(*this, mode);
  Frame f = frame(inputs, mode, 0);
  const Observer observer{.before = [&](const Instruction& instruction, const Frame& now) {
    std::vector<ir::Tensor>* reads = ir::find(out, instruction.node);
    if (!reads) return;
    for (std::size_t slot : instruction.reads) {
      if (now.slots[slot].tensor.defined()) reads->push_back(copy_out(now.slots[slot].tensor));
    }
  }};
  run(plan_, f, observer);
  return out;
}

ir::Named<ir::Value> TorchProgram::capture_results(std::span<const ir::Tensor> inputs, Mode mode) {
  const c10::InferenceMode no_gradients;
  const KeepBuffers keep(*this, mode);
  Frame f = frame(inputs, mode, 0);
  ir::Named<ir::Value> out;
  for (const std::string& node : nodes_) out.emplace_back(node, ir::None{});
  const auto take = [&](std::size_t slot, const Frame& now) {
    const Slot& result = now.slots[slot];
    out[slot].second = result.tensor.defined() ? ir::Value(copy_out(result.tensor)) : result.value;
  };
  for (std::size_t slot : plan_.placeholders) take(slot, f);
  const Observer observer{.after = [&](const Instruction& instruction, const Frame& now) {
    take(instruction.slot, now);
  }};
  run(plan_, f, observer);
  return out;
}

TorchProgram::Rows TorchProgram::gather(const Batch& batch) const {
  if (!batch.features || !batch.labels) internal_error("a batch without features or labels");
  if (batch.features->shape().empty() || batch.labels->shape().size() != 1 ||
      batch.features->dim(0) != batch.labels->dim(0)) {
    usage_error(fmt::format("features {} and labels {} do not belong together",
                            ir::text(batch.features->shape()), ir::text(batch.labels->shape())));
  }
  if (batch.labels->dtype() != ir::DType::Int64) {
    usage_error(
        fmt::format("labels must be int64 class numbers, not {}", ir::name(batch.labels->dtype())));
  }
  if (batch.rows.empty()) usage_error("a batch has no rows");
  return {.features = as_input(gather_rows(*batch.features, batch.rows)),
          .labels = gather_rows(*batch.labels, batch.rows)};
}

TorchProgram::Judged TorchProgram::judge(const Rows& rows, Mode mode, std::uint64_t step) const {
  Frame f = frame({&rows.features, 1}, mode, step);
  at::Tensor logits = f.in_full(run(plan_, f));
  if (logits.dim() != 2 || logits.size(0) != rows.labels.size(0)) {
    usage_error(
        fmt::format("a classifier must return [rows, classes] logits, this network returns "
                    "{} for {} rows",
                    ir::text(logits.sizes().vec()), rows.labels.size(0)));
  }
  return guarded("loss", [&] {
    Judged out;
    out.loss = at::cross_entropy_loss(logits, rows.labels);
    const at::Tensor plain = logits.detach().contiguous();
    out.result.loss = out.loss.item<double>();
    out.result.correct = type_ == at::kDouble ? count_correct<double>(plain, rows.labels)
                                              : count_correct<float>(plain, rows.labels);
    out.result.count = rows.labels.size(0);
    return out;
  });
}

void TorchProgram::set_optimiser(const OptimiserOptions& options) {
  optimiser_.set_options(options, trained_);
}

void TorchProgram::set_learning_rate(double rate) {
  optimiser_.set_learning_rate(rate);
}

BatchResult TorchProgram::train_step(const Batch& batch, const StepOptions& options) {
  if (!optimiser_.ready()) internal_error("train_step before set_optimiser");
  const at::AutoGradMode gradients(true);
  const Judged judged = judge(gather(batch), Mode::Train, options.step);
  if (!std::isfinite(judged.result.loss)) {
    for (const Trained& parameter : trained_) parameter.value.mutable_grad().reset();
    return judged.result;
  }
  guarded("gradients", [&] {
    // The scale enters as the gradient of the loss: no operation more, and the loss is reported
    // as it is.
    torch::autograd::backward({judged.loss}, {at::full_like(judged.loss, options.scale)});
    if (options.update) optimiser_.step(trained_);
  });
  return judged.result;
}

ir::State TorchProgram::gradients(const Batch& batch) {
  const at::AutoGradMode gradients(true);
  const KeepBuffers keep(*this, Mode::Train);
  const Judged judged = judge(gather(batch), Mode::Train, 0);
  return guarded("gradients", [&] {
    std::vector<at::Tensor> values;
    for (const Trained& parameter : trained_) values.push_back(parameter.value);
    const std::vector<at::Tensor> found = torch::autograd::grad(
        {judged.loss}, values, {}, /*retain_graph=*/c10::nullopt, /*create_graph=*/false,
        /*allow_unused=*/true);
    ir::State out;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const at::Tensor value = found[i].defined() ? found[i] : at::zeros_like(values[i]);
      out.emplace_back(trained_[i].name, copy_out(value));
    }
    return out;
  });
}

BatchResult TorchProgram::evaluate(const Batch& batch) {
  const c10::InferenceMode no_gradients;
  return judge(gather(batch), Mode::Eval, 0).result;
}

ir::State TorchProgram::state() const {
  ir::State out;
  for (std::size_t i = 0; i < names_.size(); ++i)
    out.emplace_back(names_[i], copy_out(tensors_[i]));
  return out;
}

void TorchProgram::load_state(const ir::State& state) {
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
  for (const std::string& name : names_) {
    if (!ir::find(state, name)) missing.push_back(name);
  }
  for (const auto& [name, value] : state) {
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) unexpected.push_back(name);
  }
  if (!missing.empty() || !unexpected.empty()) {
    std::string text = "the state does not belong to this network:";
    if (!missing.empty()) text += " missing " + listed(missing);
    if (!unexpected.empty())
      text += (missing.empty() ? " unexpected " : "; unexpected ") + listed(unexpected);
    usage_error(text);
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const ir::Tensor& value = *ir::find(state, names_[i]);
    if (value.shape() != tensors_[i].sizes().vec()) {
      usage_error(fmt::format("'{}' has shape {} in the state, {} in this network", names_[i],
                              ir::text(value.shape()), ir::text(tensors_[i].sizes().vec())));
    }
  }
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    tensors_[i].copy_(borrow(*ir::find(state, names_[i])));
  }
}

std::string TorchProgram::explain() {
  std::vector<std::vector<Cell>> rows;
  const auto names = [&](const std::vector<std::size_t>& slots) {
    std::vector<std::string> out;
    for (const std::size_t slot : slots) out.push_back(nodes_[slot]);
    return fmt::format("{}", fmt::join(out, ", "));
  };
  for (const Instruction& instruction : plan_.instructions) {
    const ir::Node& node = graph_.nodes()[instruction.slot];
    rows.push_back({instruction.node, ops::type_text(node), names(instruction.reads),
                    names(instruction.release)});
  }
  return "Kernels of LibTorch, one after the other\n" +
         format_table({"Node", "Calls", "Reads", "Lets go of"}, rows,
                      {.style = TableStyle::Orgtbl}) +
         "\n";
}

ir::OptimiserState TorchProgram::optimiser_state() const {
  return optimiser_.state(trained_);
}

void TorchProgram::load_optimiser_state(const ir::OptimiserState& state) {
  if (!optimiser_.ready()) internal_error("load_optimiser_state before set_optimiser");
  optimiser_.load(state, trained_);
}

}  // namespace mase::engine::torch_engine
