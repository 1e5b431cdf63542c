// LibTorch as its users write it.
#include "bench/bare_libtorch.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <memory>

namespace mase::bench {
namespace {

// Fixed point of 8 bits, 4 of them fractional, as a custom function with the gradient passed on.
struct Quantise : torch::autograd::Function<Quantise> {
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
    return torch::linear(Quantise::apply(x), Quantise::apply(weight), Quantise::apply(bias));
  }
};
TORCH_MODULE(QuantisedLinear);

struct QuantisedConv2dImpl : torch::nn::Conv2dImpl {
  // The padding once more: its type in the options differs between versions of LibTorch.
  QuantisedConv2dImpl(const torch::nn::Conv2dOptions& options, std::int64_t padding)
      : torch::nn::Conv2dImpl(options), padding_(padding) {}
  torch::Tensor forward(const torch::Tensor& x) {
    return torch::conv2d(Quantise::apply(x), Quantise::apply(weight), Quantise::apply(bias),
                         options.stride(), padding_);
  }
  std::int64_t padding_;
};
TORCH_MODULE(QuantisedConv2d);

// False where there is no such layer.
bool add_layer(torch::nn::Sequential& network, const Layer& layer, bool quantised) {
  using namespace torch::nn;
  const auto convolution = [&] {
    return Conv2dOptions(layer.in, layer.out, layer.kernel)
        .stride(layer.stride)
        .padding(layer.padding);
  };
  if (layer.op == "linear") {
    if (quantised) {
      network->push_back(QuantisedLinear(layer.in, layer.out));
    } else {
      network->push_back(Linear(layer.in, layer.out));
    }
  } else if (layer.op == "conv2d") {
    if (quantised) {
      network->push_back(QuantisedConv2d(convolution(), layer.padding));
    } else {
      network->push_back(Conv2d(convolution()));
    }
  } else if (layer.op == "batch_norm1d") {
    network->push_back(BatchNorm1d(layer.in));
  } else if (layer.op == "batch_norm2d") {
    network->push_back(BatchNorm2d(layer.in));
  } else if (layer.op == "relu") {
    network->push_back(ReLU(ReLUOptions().inplace(true)));
  } else if (layer.op == "tanh") {
    network->push_back(Tanh());
  } else if (layer.op == "sigmoid") {
    network->push_back(Sigmoid());
  } else if (layer.op == "max_pool2d") {
    network->push_back(
        MaxPool2d(MaxPool2dOptions(layer.kernel).stride(layer.stride).padding(layer.padding)));
  } else if (layer.op == "avg_pool2d") {
    network->push_back(
        AvgPool2d(AvgPool2dOptions(layer.kernel).stride(layer.stride).padding(layer.padding)));
  } else if (layer.op == "flatten") {
    network->push_back(Flatten());
  } else {
    return false;
  }
  return true;
}

torch::nn::Sequential make_network(const std::vector<Layer>& layers, bool quantised) {
  torch::manual_seed(0);
  torch::nn::Sequential network;
  for (const Layer& layer : layers) {
    TORCH_CHECK(add_layer(network, layer, quantised), "no module for ", layer.op);
  }
  return network;
}

// Consecutive batches, from the start again when the next would not be whole.
struct Batches {
  torch::Tensor features;
  torch::Tensor labels;
  std::int64_t batch;
  std::int64_t first = 0;

  Batches(const PlainRows& rows, std::int64_t batch) : batch(batch) {
    std::vector<std::int64_t> shape = rows.sample;
    shape.insert(shape.begin(), rows.count);
    features = torch::from_blob(const_cast<float*>(rows.features), shape, torch::kFloat);
    labels = torch::from_blob(const_cast<std::int64_t*>(rows.labels), {rows.count}, torch::kLong);
  }
  std::pair<torch::Tensor, torch::Tensor> next() {
    if (first + batch > labels.size(0)) first = 0;
    const std::int64_t at = first;
    first += batch;
    return {features.narrow(0, at, batch), labels.narrow(0, at, batch)};
  }
};

}  // namespace

std::string bare_libtorch_why_not(const std::vector<Layer>& layers) {
  torch::nn::Sequential network;
  for (const Layer& layer : layers) {
    if (!add_layer(network, layer, false)) return "no module for " + layer.op;
  }
  return "";
}

std::function<void()> bare_libtorch_training(const std::vector<Layer>& layers,
                                             const PlainRows& rows, std::int64_t batch,
                                             bool quantised) {
  torch::nn::Sequential network = make_network(layers, quantised);
  auto optimiser =
      std::make_shared<torch::optim::Adam>(network->parameters(), torch::optim::AdamOptions(1e-3));
  return [network, optimiser, batches = Batches(rows, batch)]() mutable {
    const auto [x, y] = batches.next();
    optimiser->zero_grad();
    const torch::Tensor loss = torch::nn::functional::cross_entropy(network->forward(x), y);
    loss.backward();
    optimiser->step();
  };
}

std::function<void()> bare_libtorch_evaluation(const std::vector<Layer>& layers,
                                               const PlainRows& rows, std::int64_t batch,
                                               bool quantised) {
  torch::nn::Sequential network = make_network(layers, quantised);
  network->eval();
  return [network, batches = Batches(rows, batch)]() mutable {
    const torch::NoGradGuard no_grad;
    const auto [x, y] = batches.next();
    const torch::Tensor logits = network->forward(x);
    const volatile auto correct = logits.argmax(1).eq(y).sum().item<std::int64_t>();
    (void)correct;
  };
}

std::string prepare_bare_libtorch() {
  torch::set_num_threads(1);
  void* core = dlsym(RTLD_DEFAULT, "openblas_get_corename");
  const std::string blas =
      core ? fmt::format("OpenBLAS for {}", reinterpret_cast<const char* (*)()>(core)())
           : std::string("another BLAS than OpenBLAS");
  return fmt::format("LibTorch {}, {}, 1 thread", TORCH_VERSION, blas);
}

}  // namespace mase::bench
