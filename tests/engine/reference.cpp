// The plain executor: forward, cross entropy, and the chain rule backwards through the steps.
#include "tests/engine/reference.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "mase/engine/dropout.h"

namespace mase::engine::test {
namespace {

using native::Activation;
using native::Grid;
using native::PlanNorm;
using native::PlanStep;
using native::StepKind;
using Array = std::vector<double>;  // [sample][feature]

double on_grid(const std::optional<Grid>& grid, double x) {
  if (!grid) return x;
  const double code = std::nearbyint(x * grid->scale);
  return std::clamp<double>(code, grid->low, grid->high) * grid->step;
}

double activate(const PlanStep& step, double x) {
  switch (step.activation) {
    case Activation::None:
      return x;
    case Activation::Relu:
      return std::max(x, 0.0);
    case Activation::Clamp:
      return std::clamp<double>(x, step.low, step.high);
    case Activation::Sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::Tanh:
      return std::tanh(x);
  }
  return x;
}

double slope(const PlanStep& step, double x) {
  switch (step.activation) {
    case Activation::None:
      return 1;
    case Activation::Relu:
      return x > 0;
    case Activation::Clamp:
      return x > step.low && x < step.high;
    case Activation::Sigmoid:
      return activate(step, x) * (1 - activate(step, x));
    case Activation::Tanh:
      return 1 - activate(step, x) * activate(step, x);
  }
  return 1;
}

class Run {
 public:
  Run(const native::Plan& plan, const ir::Graph& graph, std::int64_t samples, Mode mode,
      std::uint64_t seed, std::uint64_t step)
      : plan_(plan),
        samples_(static_cast<std::size_t>(samples)),
        training_(mode == Mode::Train),
        seed_(seed),
        count_(step) {
    for (const native::PlanValue& value : plan.values) {
      values_.emplace_back(samples_ * static_cast<std::size_t>(value.features));
      gradients_.push_back(values_.back());
    }
    for (const native::PlanParameter& parameter : plan.parameters) {
      parameters_.push_back(*ir::find(graph.state(), parameter.name));
    }
    for (const ir::Parameter& buffer : plan.buffers) buffers_.push_back(buffer.value);
    centred_.resize(plan.norms.size());
    inverse_.resize(plan.norms.size());
    result_.gradient.resize(static_cast<std::size_t>(plan.flat_size));
  }

  Reference run(const ir::Tensor& features, const ir::Tensor& labels) {
    for (std::size_t i = 0; i < values_[0].size(); ++i) {
      values_[0][i] = features.at(static_cast<std::int64_t>(i));
    }
    for (const PlanStep& step : plan_.steps) forward(step);
    cross_entropy(labels);
    if (training_) {
      for (auto step = plan_.steps.rbegin(); step != plan_.steps.rend(); ++step) backward(*step);
    }
    result_.logits = values_[static_cast<std::size_t>(plan_.result)];
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      result_.moved.emplace_back(plan_.buffers[i].name, buffers_[i]);
    }
    return std::move(result_);
  }

 private:
  Array& value(int id) { return values_[static_cast<std::size_t>(id)]; }
  Array& gradient(int id) { return gradients_[static_cast<std::size_t>(id)]; }
  std::size_t width(int id) const {
    return static_cast<std::size_t>(plan_.values[static_cast<std::size_t>(id)].features);
  }

  // Calls f(sample, feature, index) for every element of a value.
  template <typename F>
  void each(int id, F f) const {
    for (std::size_t s = 0; s < samples_; ++s) {
      for (std::size_t k = 0; k < width(id); ++k) f(s, k, s * width(id) + k);
    }
  }

  // A parameter as the step sees it: quantised where the step says so.
  std::vector<double> weights(int id, const std::optional<native::PlanFormat>& format) const {
    const ir::Tensor& tensor = parameters_[static_cast<std::size_t>(id)];
    std::vector<float> numbers(static_cast<std::size_t>(tensor.size()));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] = static_cast<float>(tensor.at(static_cast<std::int64_t>(i)));
    }
    if (format) {
      const State state = state_of(*format);
      numerics::quantise(format->precision, state.on(numerics::parameter_edge(tensor.shape())),
                         numbers, numbers);
    }
    return {numbers.begin(), numbers.end()};
  }

  // What a format has learned.
  struct State {
    std::vector<ir::Tensor> tensors;
    std::vector<std::span<const float>> spans;
    numerics::Edge on(numerics::Edge edge) const {
      edge.state = spans;
      return edge;
    }
  };
  State state_of(const native::PlanFormat& format) const {
    State state;
    for (const int id : format.state) {
      state.tensors.push_back(parameters_[static_cast<std::size_t>(id)].to(ir::DType::Float32));
    }
    for (const ir::Tensor& tensor : state.tensors) {
      state.spans.push_back(tensor.values<float>());
    }
    return state;
  }
  numerics::Edge data_edge(const native::PlanFormat& format) const {
    ir::Shape shape{static_cast<std::int64_t>(samples_)};
    shape.insert(shape.end(), format.row.begin(), format.row.end());
    return numerics::data_edge(shape);
  }

  double& flat_gradient(int parameter, std::size_t i) {
    const auto& row = plan_.parameters[static_cast<std::size_t>(parameter)];
    return result_.gradient[static_cast<std::size_t>(row.offset) + i];
  }

  void forward(const PlanStep& step) {
    const Array& a = value(step.a);
    Array& out = value(step.out);
    const std::size_t inputs = width(step.a);
    switch (step.kind) {
      case StepKind::Linear: {
        const auto w = weights(step.weight, step.weight_format);
        const auto b = step.bias < 0 ? std::vector<double>(width(step.out))
                                     : weights(step.bias, step.bias_format);
        return each(step.out, [&](std::size_t s, std::size_t o, std::size_t at) {
          out[at] = b[o];
          for (std::size_t i = 0; i < inputs; ++i) out[at] += w[o * inputs + i] * a[s * inputs + i];
        });
      }
      case StepKind::Pointwise:
        if (step.norm >= 0) normalise(step);
        return each(step.out, [&](std::size_t, std::size_t k, std::size_t at) {
          const double x = on_grid(step.quantise_in, normalised(step, k, at));
          out[at] = on_grid(step.quantise_out, activate(step, x));
        });
      case StepKind::Affine:
        return each(step.out, [&](std::size_t, std::size_t, std::size_t at) {
          out[at] = static_cast<double>(step.factor) * a[at] + step.offset;
        });
      case StepKind::Binary:
        return each(step.out, [&](std::size_t, std::size_t, std::size_t at) {
          const double b = value(step.b)[at];
          out[at] = step.op == '+' ? a[at] + b : step.op == '-' ? a[at] - b : a[at] * b;
        });
      case StepKind::Softmax: {
        for (std::size_t s = 0; s < samples_; ++s) {
          double total = 0;
          for (std::size_t k = 0; k < inputs; ++k) total += std::exp(a[s * inputs + k]);
          for (std::size_t k = 0; k < inputs; ++k) {
            out[s * inputs + k] = std::exp(a[s * inputs + k]) / total;
          }
        }
        return;
      }
      case StepKind::Dropout:
        return each(step.out, [&](std::size_t, std::size_t, std::size_t at) {
          out[at] = a[at] * kept(step, at);
        });
      case StepKind::Quantise: {
        std::vector<float> numbers(a.begin(), a.end());
        const State state = state_of(step.format);
        numerics::quantise(step.format.precision, state.on(data_edge(step.format)), numbers,
                           numbers);
        out.assign(numbers.begin(), numbers.end());
        return;
      }
      default:
        throw std::logic_error("the reference does not know the step at " + step.node);
    }
  }

  // What dropout multiplies an element with.
  double kept(const PlanStep& step, std::size_t at) const {
    if (!training_) return 1;
    const DropoutSite site{.seed = seed_, .step = count_, .node = step.position};
    return dropout_uniform(site, at) < step.p ? 0 : 1 / (1 - step.p);
  }

  std::optional<double> entry(int parameter, std::size_t i) const {
    if (parameter < 0) return std::nullopt;
    return parameters_[static_cast<std::size_t>(parameter)].at(static_cast<std::int64_t>(i));
  }

  // Mean and 1/sigma of every channel: of the batch in training, which moves the running ones.
  void normalise(const PlanStep& step) {
    const PlanNorm& norm = plan_.norms[static_cast<std::size_t>(step.norm)];
    const Array& x = value(step.a);
    const auto channels = static_cast<std::size_t>(norm.channels);
    const auto area = static_cast<std::size_t>(norm.area);
    Array& mean = centred_[static_cast<std::size_t>(step.norm)];
    Array& inverse = inverse_[static_cast<std::size_t>(step.norm)];
    mean.assign(channels, 0);
    inverse.assign(channels, 0);
    ir::Tensor& running_mean = buffers_[static_cast<std::size_t>(norm.running_mean)];
    ir::Tensor& running_var = buffers_[static_cast<std::size_t>(norm.running_var)];
    const double count = static_cast<double>(samples_ * area);
    for (std::size_t c = 0; c < channels; ++c) {
      const auto at = static_cast<std::int64_t>(c);
      if (!training_) {
        mean[c] = running_mean.at(at);
        inverse[c] = 1 / std::sqrt(running_var.at(at) + norm.epsilon);
        continue;
      }
      double squares = 0;
      each(step.a, [&](std::size_t, std::size_t k, std::size_t i) {
        if (k / area == c) mean[c] += x[i] / count;
      });
      each(step.a, [&](std::size_t, std::size_t k, std::size_t i) {
        if (k / area == c) squares += (x[i] - mean[c]) * (x[i] - mean[c]);
      });
      inverse[c] = 1 / std::sqrt(squares / count + norm.epsilon);
      const double m = norm.momentum;
      running_mean.values_mut<float>()[c] =
          static_cast<float>((1 - m) * running_mean.at(at) + m * mean[c]);
      running_var.values_mut<float>()[c] =
          static_cast<float>((1 - m) * running_var.at(at) + m * squares / (count - 1));
    }
  }

  std::size_t channel(const PlanStep& step, std::size_t feature) const {
    const PlanNorm& norm = plan_.norms[static_cast<std::size_t>(step.norm)];
    return feature / static_cast<std::size_t>(norm.area);
  }

  double centred(const PlanStep& step, std::size_t feature, std::size_t at) {
    const auto n = static_cast<std::size_t>(step.norm);
    const std::size_t c = channel(step, feature);
    return (value(step.a)[at] - centred_[n][c]) * inverse_[n][c];
  }

  double normalised(const PlanStep& step, std::size_t feature, std::size_t at) {
    if (step.norm < 0) return value(step.a)[at];
    const PlanNorm& norm = plan_.norms[static_cast<std::size_t>(step.norm)];
    const std::size_t c = channel(step, feature);
    return centred(step, feature, at) * entry(norm.gain, c).value_or(1) +
           entry(norm.shift, c).value_or(0);
  }

  void cross_entropy(const ir::Tensor& labels) {
    const Array& z = value(plan_.result);
    Array& d = gradient(plan_.result);
    const std::size_t classes = width(plan_.result);
    for (std::size_t s = 0; s < samples_; ++s) {
      const double* row = z.data() + s * classes;
      const auto label = static_cast<std::size_t>(labels.at(static_cast<std::int64_t>(s)));
      const double* largest = std::max_element(row, row + classes);
      double total = 0;
      for (std::size_t c = 0; c < classes; ++c) total += std::exp(row[c] - *largest);
      result_.loss += (std::log(total) + *largest - row[label]) / static_cast<double>(samples_);
      result_.correct += largest - row == static_cast<std::ptrdiff_t>(label);
      for (std::size_t c = 0; c < classes; ++c) {
        d[s * classes + c] = (std::exp(row[c] - *largest) / total - (c == label ? 1 : 0)) /
                             static_cast<double>(samples_);
      }
    }
  }

  // Adds to the gradients of a step's inputs and parameters. Quantisation passes gradients on.
  void backward(const PlanStep& step) {
    const Array& a = value(step.a);
    const Array& d = gradient(step.out);
    Array& da = gradient(step.a);
    const std::size_t inputs = width(step.a);
    switch (step.kind) {
      case StepKind::Linear: {
        const auto w = weights(step.weight, step.weight_format);
        return each(step.out, [&](std::size_t s, std::size_t o, std::size_t at) {
          if (step.bias >= 0) flat_gradient(step.bias, o) += d[at];
          for (std::size_t i = 0; i < inputs; ++i) {
            da[s * inputs + i] += w[o * inputs + i] * d[at];
            flat_gradient(step.weight, o * inputs + i) += a[s * inputs + i] * d[at];
          }
        });
      }
      case StepKind::Pointwise:
        return backward_pointwise(step);
      case StepKind::Affine:
        return each(step.out, [&](std::size_t, std::size_t, std::size_t at) {
          da[at] += step.factor * d[at];
        });
      case StepKind::Binary:
        return each(step.out, [&](std::size_t, std::size_t, std::size_t at) {
          const double b = value(step.b)[at];
          const double left = step.op == '*' ? b : 1;
          const double right = step.op == '*' ? a[at] : step.op == '-' ? -1 : 1;
          da[at] += left * d[at];
          gradient(step.b)[at] += right * d[at];
        });
      case StepKind::Softmax: {
        const Array& y = value(step.out);
        for (std::size_t s = 0; s < samples_; ++s) {
          double dot = 0;
          for (std::size_t k = 0; k < inputs; ++k) dot += y[s * inputs + k] * d[s * inputs + k];
          for (std::size_t k = s * inputs; k < (s + 1) * inputs; ++k) da[k] += y[k] * (d[k] - dot);
        }
        return;
      }
      case StepKind::Dropout:
        return each(step.out, [&](std::size_t, std::size_t, std::size_t at) {
          da[at] += d[at] * kept(step, at);
        });
      case StepKind::Quantise:
        return each(step.out, [&](std::size_t, std::size_t, std::size_t at) { da[at] += d[at]; });
      default:
        throw std::logic_error("the reference does not know the step at " + step.node);
    }
  }

  void backward_pointwise(const PlanStep& step) {
    const Array& d = gradient(step.out);
    Array& da = gradient(step.a);
    Array through(d.size());
    each(step.out, [&](std::size_t, std::size_t k, std::size_t at) {
      through[at] = d[at] * slope(step, on_grid(step.quantise_in, normalised(step, k, at)));
      if (step.norm < 0) da[at] += through[at];
    });
    if (step.norm < 0) return;
    const PlanNorm& norm = plan_.norms[static_cast<std::size_t>(step.norm)];
    const auto channels = static_cast<std::size_t>(norm.channels);
    Array sum(channels);
    Array dot(channels);
    each(step.out, [&](std::size_t, std::size_t k, std::size_t at) {
      sum[channel(step, k)] += through[at];
      dot[channel(step, k)] += through[at] * centred(step, k, at);
    });
    const double count = static_cast<double>(samples_) * norm.area;
    each(step.out, [&](std::size_t, std::size_t k, std::size_t at) {
      const std::size_t c = channel(step, k);
      const double inverse = inverse_[static_cast<std::size_t>(step.norm)][c];
      da[at] += entry(norm.gain, c).value_or(1) * inverse *
                (through[at] - sum[c] / count - centred(step, k, at) * dot[c] / count);
    });
    for (std::size_t c = 0; c < channels; ++c) {
      if (norm.gain >= 0) flat_gradient(norm.gain, c) += dot[c];
      if (norm.shift >= 0) flat_gradient(norm.shift, c) += sum[c];
    }
  }

  const native::Plan& plan_;
  std::size_t samples_;
  bool training_;
  std::uint64_t seed_;
  std::uint64_t count_;
  std::vector<Array> values_;
  std::vector<Array> gradients_;
  std::vector<ir::Tensor> parameters_;
  std::vector<ir::Tensor> buffers_;
  std::vector<Array> centred_;  // means, by norm
  std::vector<Array> inverse_;
  Reference result_;
};

}  // namespace

Reference run_reference(const native::Plan& plan, const ir::Graph& graph,
                        const ir::Tensor& features, const ir::Tensor& labels, Mode mode,
                        std::uint64_t seed, std::uint64_t step) {
  return Run(plan, graph, features.dim(0), mode, seed, step).run(features, labels);
}

}  // namespace mase::engine::test
