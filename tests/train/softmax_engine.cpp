// Softmax regression with Adam or momentum, in single precision, in the plainest way.
#include "softmax_engine.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "mase/support/error.h"

namespace mase::train::testing {
namespace {

constexpr const char* kWeight = "linear.weight";
constexpr const char* kBias = "linear.bias";
constexpr const char* kTracked = "linear.num_batches_tracked";

struct Slot {
  std::vector<float> m, v;
};

class SoftmaxProgram final : public engine::Program {
 public:
  explicit SoftmaxProgram(const ir::Graph& graph) { load_state(graph.state()); }

  ir::Tensor forward(std::span<const ir::Tensor> inputs, engine::Mode, std::uint64_t) override {
    const ir::Tensor& x = inputs[0];
    ir::Tensor out({x.dim(0), classes_}, ir::DType::Float32);
    auto y = out.values_mut<float>();
    for (std::int64_t row = 0; row < x.dim(0); ++row) {
      const std::vector<float> z = logits(x.values<float>().data() + row * features_);
      std::copy(z.begin(), z.end(), y.begin() + row * classes_);
    }
    return out;
  }
  ir::Named<std::vector<ir::Tensor>> capture_inputs(std::span<const ir::Tensor> inputs,
                                                    std::span<const std::string> nodes,
                                                    engine::Mode) override {
    ir::Named<std::vector<ir::Tensor>> out;
    for (const std::string& node : nodes) out.emplace_back(node, std::vector{inputs[0]});
    return out;
  }
  ir::Named<ir::Value> capture_results(std::span<const ir::Tensor> inputs,
                                       engine::Mode mode) override {
    return {{"x", inputs[0]}, {"linear", forward(inputs, mode, 0)}};
  }

  void set_optimiser(const engine::OptimiserOptions& options) override {
    options_ = options;
    slots_ = {};
    step_ = 0;
  }
  void set_learning_rate(double rate) override { options_.learning_rate = rate; }

  engine::BatchResult train_step(const engine::Batch& batch,
                                 const engine::StepOptions& options) override {
    std::vector<float> gradient(parameters_.size());
    const engine::BatchResult result = judge(batch, &gradient);
    tracked_ += 1;
    if (!std::isfinite(result.loss)) return result;
    sum_.resize(parameters_.size());
    for (std::size_t i = 0; i < sum_.size(); ++i) {
      sum_[i] += gradient[i] * static_cast<float>(options.scale);
    }
    if (options.update) update();
    return result;
  }
  ir::State gradients(const engine::Batch& batch) override {
    std::vector<float> gradient(parameters_.size());
    judge(batch, &gradient);
    return split(gradient);
  }
  engine::BatchResult evaluate(const engine::Batch& batch) override {
    return judge(batch, nullptr);
  }

  ir::State state() const override {
    ir::State out = split(parameters_);
    out.emplace_back(kTracked, ir::Tensor::from<std::int64_t>({}, std::span(&tracked_, 1)));
    return out;
  }
  void load_state(const ir::State& state) override {
    const ir::Tensor* weight = ir::find(state, kWeight);
    const ir::Tensor* bias = ir::find(state, kBias);
    const ir::Tensor* tracked = ir::find(state, kTracked);
    if (!weight || !bias || !tracked) usage_error("the state does not belong to this network");
    if (classes_ > 0 && weight->shape() != ir::Shape{classes_, features_}) {
      usage_error("the shapes differ");
    }
    classes_ = weight->dim(0);
    features_ = weight->dim(1);
    parameters_ = weight->floats();
    const std::vector<float> b = bias->floats();
    parameters_.insert(parameters_.end(), b.begin(), b.end());
    tracked_ = tracked->values<std::int64_t>()[0];
  }
  ir::OptimiserState optimiser_state() const override {
    if (slots_.m.empty()) return {};
    ir::OptimiserState out;
    const bool adam = options_.kind != engine::OptimiserKind::Sgd;
    const ir::State m = split(slots_.m);
    const ir::State v = split(slots_.v);
    for (std::size_t i = 0; i < m.size(); ++i) {
      ir::OptimiserSlot slot{.parameter = m[i].first, .step = adam ? step_ : 0, .tensors = {}};
      slot.tensors.emplace_back(adam ? "exp_avg" : "momentum_buffer", m[i].second);
      if (adam) slot.tensors.emplace_back("exp_avg_sq", v[i].second);
      out.push_back(std::move(slot));
    }
    return out;
  }
  void load_optimiser_state(const ir::OptimiserState& state) override {
    slots_ = {};
    const bool adam = options_.kind != engine::OptimiserKind::Sgd;
    for (const ir::OptimiserSlot& slot : state) {
      const ir::Tensor* m = ir::find(slot.tensors, adam ? "exp_avg" : "momentum_buffer");
      if (!m) usage_error("the state is of another kind of optimiser");
      const std::vector<float> values = m->floats();
      slots_.m.insert(slots_.m.end(), values.begin(), values.end());
      const std::vector<float> squares =
          adam ? ir::find(slot.tensors, "exp_avg_sq")->floats() : std::vector<float>(values.size());
      slots_.v.insert(slots_.v.end(), squares.begin(), squares.end());
      step_ = slot.step;
    }
  }

 private:
  std::vector<float> logits(const float* x) const {
    std::vector<float> z(static_cast<std::size_t>(classes_));
    for (std::int64_t c = 0; c < classes_; ++c) {
      float sum = parameters_[static_cast<std::size_t>(classes_ * features_ + c)];
      for (std::int64_t f = 0; f < features_; ++f) {
        sum += parameters_[static_cast<std::size_t>(c * features_ + f)] * x[f];
      }
      z[static_cast<std::size_t>(c)] = sum;
    }
    return z;
  }

  // Mean cross entropy of the batch, and its gradient where one is wanted.
  engine::BatchResult judge(const engine::Batch& batch, std::vector<float>* gradient) const {
    const float* all = batch.features->values<float>().data();
    const std::int64_t* labels = batch.labels->values<std::int64_t>().data();
    const float share = 1.0f / static_cast<float>(batch.rows.size());
    engine::BatchResult out{.loss = 0, .correct = 0, .count = std::ssize(batch.rows)};
    float loss = 0;
    for (const std::uint32_t row : batch.rows) {
      const float* x = all + static_cast<std::int64_t>(row) * features_;
      std::vector<float> z = logits(x);
      const auto largest = std::max_element(z.begin(), z.end());
      out.correct += largest - z.begin() == labels[row];
      const float top = *largest;
      float total = 0;
      for (const float value : z) total += std::exp(value - top);
      loss += (top + std::log(total) - z[static_cast<std::size_t>(labels[row])]) * share;
      if (!gradient) continue;
      for (std::int64_t c = 0; c < classes_; ++c) {
        const float p = std::exp(z[static_cast<std::size_t>(c)] - top) / total;
        const float d = (p - (labels[row] == c ? 1.0f : 0.0f)) * share;
        for (std::int64_t f = 0; f < features_; ++f) {
          (*gradient)[static_cast<std::size_t>(c * features_ + f)] += d * x[f];
        }
        (*gradient)[static_cast<std::size_t>(classes_ * features_ + c)] += d;
      }
    }
    out.loss = static_cast<double>(loss);
    return out;
  }

  void update() {
    const bool adam = options_.kind != engine::OptimiserKind::Sgd;
    slots_.m.resize(parameters_.size());
    slots_.v.resize(parameters_.size());
    step_ += 1;
    const auto rate = static_cast<float>(options_.learning_rate);
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const float g = sum_[i];
      if (adam) {
        slots_.m[i] = 0.9f * slots_.m[i] + 0.1f * g;
        slots_.v[i] = 0.999f * slots_.v[i] + 0.001f * g * g;
        const auto c1 = static_cast<float>(1 - std::pow(0.9, step_));
        const auto c2 = static_cast<float>(1 - std::pow(0.999, step_));
        parameters_[i] -= rate * (slots_.m[i] / c1) / (std::sqrt(slots_.v[i] / c2) + 1e-8f);
      } else {
        slots_.m[i] = 0.9f * slots_.m[i] + g;
        parameters_[i] -= rate * slots_.m[i];
      }
    }
    sum_.assign(parameters_.size(), 0.0f);
  }

  ir::State split(const std::vector<float>& flat) const {
    const auto cut = flat.begin() + classes_ * features_;
    const std::vector<float> weight(flat.begin(), cut);
    const std::vector<float> bias(cut, flat.end());
    return {{kWeight, ir::Tensor::from<float>({classes_, features_}, weight)},
            {kBias, ir::Tensor::from<float>({classes_}, bias)}};
  }

  std::int64_t features_ = 0;
  std::int64_t classes_ = 0;
  std::int64_t tracked_ = 0;
  std::vector<float> parameters_;  // weights, then biases
  std::vector<float> sum_;         // of gradients since the last update
  engine::OptimiserOptions options_;
  Slot slots_;
  double step_ = 0;
};

class SoftmaxEngine final : public engine::Engine {
 public:
  std::string_view name() const override { return "softmax"; }
  std::string version() const override { return "softmax regression"; }
  std::string why_not(const ir::Graph&, const engine::ProgramOptions&) const override { return ""; }
  std::unique_ptr<engine::Program> compile(const ir::Graph& graph,
                                           const engine::ProgramOptions&) const override {
    return std::make_unique<SoftmaxProgram>(graph);
  }
};

}  // namespace

const engine::Engine& softmax_engine() {
  static const SoftmaxEngine engine;
  return engine;
}

ir::Graph softmax_graph(std::int64_t features, std::int64_t classes) {
  ir::Graph graph("softmax", "Softmax");
  graph.add({.name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  graph.add({.name = "linear", .op = "linear", .target = "linear", .args = {ir::NodeRef{"x"}}});
  graph.add({.name = "output",
             .kind = ir::NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {ir::NodeRef{"linear"}}});
  graph.add_parameter(
      {.name = kWeight, .value = ir::Tensor({classes, features}, ir::DType::Float32)});
  graph.add_parameter({.name = kBias, .value = ir::Tensor({classes}, ir::DType::Float32)});
  graph.add_parameter(
      {.name = kTracked, .value = ir::Tensor({}, ir::DType::Int64), .is_buffer = true});
  return graph;
}

data::DataSet blobs(std::int64_t rows, std::int64_t features, std::int64_t classes) {
  std::mt19937 random(7);
  const auto noise = [&] { return static_cast<float>(random() % 2001) / 1000.0f - 1.0f; };
  const auto make = [&](std::int64_t count) {
    data::Split split{.features = ir::Tensor({count, features}, ir::DType::Float32),
                      .labels = ir::Tensor({count}, ir::DType::Int64)};
    auto x = split.features.values_mut<float>();
    auto y = split.labels.values_mut<std::int64_t>();
    for (std::size_t row = 0; row < y.size(); ++row) {
      y[row] = static_cast<std::int64_t>(random() % static_cast<unsigned>(classes));
      for (std::int64_t f = 0; f < features; ++f) {
        const float centre = f == y[row] ? 1.0f : 0.0f;
        x[row * static_cast<std::size_t>(features) + static_cast<std::size_t>(f)] =
            centre + noise();
      }
    }
    return split;
  };
  data::DataSet out;
  out.info = {.name = "blobs",
              .num_classes = classes,
              .num_features = features,
              .sample_shape = {features}};
  out.train = make(rows);
  out.validation = make(rows / 2);
  out.test = make(rows / 2);
  out.source = "generated";
  out.hash = "0";
  return out;
}

}  // namespace mase::train::testing
