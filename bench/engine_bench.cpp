// Training steps per second of the Torch engine against a loop that a user of LibTorch would write
// (modules, index_select, torch::optim::Adam), on jsc-toy. Both alternate in short windows of one
// process on one thread; the table shows medians of the windows and the spread of their ratios.
//   engine_bench [windows] [milliseconds per window]
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <vector>

#include "mase/engine/engine.h"
#include "mase/ops/op.h"
#include "mase/support/random.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kRows = 32768;
constexpr std::int64_t kFeatures = 16;
constexpr std::int64_t kClasses = 5;

struct Data {
  mase::ir::Tensor features{{kRows, kFeatures}, mase::ir::DType::Float32};
  mase::ir::Tensor labels{{kRows}, mase::ir::DType::Int64};
  std::vector<std::uint32_t> order;
};

Data make_data() {
  Data data;
  mase::Random random(1);
  for (float& v : data.features.values_mut<float>()) v = random.uniform(-2, 2);
  for (std::int64_t& y : data.labels.values_mut<std::int64_t>()) y = random.up_to(kClasses - 1);
  data.order = random.permutation(kRows);
  return data;
}

mase::ir::Graph jsc_toy(bool quantised) {
  mase::ir::Graph graph("jsc-toy", "JSC_Toy");
  graph.add(
      {.name = "x", .kind = mase::ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
  mase::Random random(0);
  std::string last = "x";
  int index = 0;
  for (const char* text :
       {"BatchNorm1d(16)", "ReLU(inplace=True)", "Linear(16, 8)", "BatchNorm1d(8)",
        "ReLU(inplace=True)", "Linear(8, 8)", "BatchNorm1d(8)", "ReLU(inplace=True)",
        "Linear(8, 5)", "BatchNorm1d(5)", "ReLU(inplace=True)"}) {
    const mase::ops::LayerText layer = mase::ops::parse_layer(text);
    mase::ir::Node& node = mase::ops::add_layer(
        graph, *layer.op, layer.attributes, fmt::format("seq_blocks.{}", index++), last, random);
    last = node.name;
    if (!quantised || node.op != "linear") continue;
    for (const char* edge : {"data_in_0", "weight", "bias"}) {
      node.precision.emplace_back(edge, mase::numerics::integer(8, 4));
    }
  }
  graph.add({.name = "output",
             .kind = mase::ir::NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {mase::ir::NodeRef{last}}});
  return graph;
}

// A step of the engine at position `i` of the data.
std::function<void(std::size_t)> engine_steps(const Data& data, std::int64_t batch,
                                              bool quantised) {
  std::shared_ptr<mase::engine::Program> program =
      mase::engine::load_engine("torch").compile(jsc_toy(quantised));
  program->set_optimiser({.learning_rate = 1e-3});
  return [=, &data](std::size_t i) {
    const auto n = static_cast<std::size_t>(batch);
    const std::size_t first = (i * n) % (data.order.size() - n);
    program->train_step({.features = &data.features,
                         .labels = &data.labels,
                         .rows = std::span(data.order).subspan(first, n),
                         .next_rows = {}},
                        {.step = i});
  };
}

// The straight-through quantisation that a user of LibTorch writes.
struct FakeQuantise : torch::autograd::Function<FakeQuantise> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& x) {
    return x.mul(16).round().clamp(-128, 127).div(16);
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext*,
                                               torch::autograd::tensor_list gradients) {
    return gradients;
  }
};

struct QuantisedLinearImpl : torch::nn::LinearImpl {
  using torch::nn::LinearImpl::LinearImpl;
  torch::Tensor forward(const torch::Tensor& x) {
    return torch::linear(FakeQuantise::apply(x), FakeQuantise::apply(weight),
                         FakeQuantise::apply(bias));
  }
};
TORCH_MODULE(QuantisedLinear);

template <typename Linear>
torch::nn::Sequential bare_network() {
  using namespace torch::nn;
  const auto relu = [] { return ReLU(ReLUOptions().inplace(true)); };
  return Sequential(BatchNorm1d(16), relu(), Linear(16, 8), BatchNorm1d(8), relu(), Linear(8, 8),
                    BatchNorm1d(8), relu(), Linear(8, 5), BatchNorm1d(5), relu());
}

std::function<void(std::size_t)> bare_steps(const Data& data, std::int64_t batch, bool quantised) {
  torch::nn::Sequential network =
      quantised ? bare_network<QuantisedLinear>() : bare_network<torch::nn::Linear>();
  auto optimiser =
      std::make_shared<torch::optim::Adam>(network->parameters(), torch::optim::AdamOptions(1e-3));
  const auto copy = [](const mase::ir::Tensor& t, torch::ScalarType type) {
    return torch::from_blob(const_cast<std::byte*>(t.data()), t.shape(), type).clone();
  };
  const torch::Tensor features = copy(data.features, torch::kFloat);
  const torch::Tensor labels = copy(data.labels, torch::kLong);
  const torch::Tensor order =
      torch::tensor(std::vector<std::int64_t>(data.order.begin(), data.order.end()));
  return [=](std::size_t i) mutable {
    const auto first = static_cast<std::int64_t>(i) * batch % (kRows - batch);
    const torch::Tensor rows = order.narrow(0, first, batch);
    const torch::Tensor x = features.index_select(0, rows);
    const torch::Tensor y = labels.index_select(0, rows);
    optimiser->zero_grad();
    const torch::Tensor logits = network->forward(x);
    const torch::Tensor loss = torch::nn::functional::cross_entropy(logits, y);
    loss.backward();
    optimiser->step();
    // What a training loop reports of each step.
    volatile double shown = loss.item<double>();
    volatile auto correct = logits.argmax(1).eq(y).sum().item<std::int64_t>();
    (void)shown;
    (void)correct;
  };
}

double rate(const std::function<void(std::size_t)>& step, std::size_t& position, double seconds) {
  const Clock::time_point start = Clock::now();
  std::size_t done = 0;
  double passed = 0;
  while (passed < seconds) {
    for (int k = 0; k < 8; ++k) step(position++);
    done += 8;
    passed = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return static_cast<double>(done) / passed;
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

void compare(const Data& data, std::int64_t batch, bool quantised, int windows, double seconds) {
  const auto engine = engine_steps(data, batch, quantised);
  const auto bare = bare_steps(data, batch, quantised);
  std::size_t engine_at = 0;
  std::size_t bare_at = 0;
  rate(engine, engine_at, seconds);  // warm up
  rate(bare, bare_at, seconds);
  std::vector<double> engine_rates, bare_rates, ratios;
  for (int w = 0; w < windows; ++w) {
    engine_rates.push_back(rate(engine, engine_at, seconds));
    bare_rates.push_back(rate(bare, bare_at, seconds));
    ratios.push_back(engine_rates.back() / bare_rates.back());
  }
  fmt::print("| {:<10} | {:>5} | {:>8.0f} | {:>8.0f} | {:>5.2f} | {:.2f} .. {:.2f} |\n",
             quantised ? "8.4 linear" : "float", batch, quantile(engine_rates, 0.5),
             quantile(bare_rates, 0.5), quantile(ratios, 0.5), quantile(ratios, 0.1),
             quantile(ratios, 0.9));
}

}  // namespace

int main(int argc, char** argv) {
  const int windows = argc > 1 ? std::atoi(argv[1]) : 15;
  const double seconds = (argc > 2 ? std::atof(argv[2]) : 200) / 1000;
  const Data data = make_data();
  fmt::print("jsc-toy, Adam, one thread, steps/s; {}\n",
             mase::engine::load_engine("torch").version());
  torch::set_num_threads(1);
  fmt::print("| network    | batch |   engine | LibTorch | ratio | 10 % .. 90 % |\n");
  fmt::print("|------------|-------|----------|----------|-------|--------------|\n");
  for (const bool quantised : {false, true}) {
    for (const std::int64_t batch : {64, 256, 1024}) {
      compare(data, batch, quantised, windows, seconds);
    }
  }
}
