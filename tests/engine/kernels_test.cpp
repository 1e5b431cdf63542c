// Every kernel of every instruction set this machine runs, against plain loops in float64, on
// shapes that meet all block sizes and tails.
#include "mase/engine/native/kernels.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "mase/engine/native/executor.h"
#include "mase/support/random.h"

namespace mase::engine::native {

#if defined(MASE_EMULATED_KERNELS)
namespace avx512_float_emulated {
extern const Kernels kTable;
}
#endif

namespace {

const Kernels* kernels_named(std::string_view name) {
#if defined(MASE_EMULATED_KERNELS)
  // Where the machine has no AVX-512, its kernels run on an emulation.
  if (name == "avx512" && !find_kernels(name)) return &avx512_float_emulated::kTable;
#endif
  return find_kernels(name);
}

struct Shape {
  int inputs;
  int outputs;
  int n;
};

// Every row block (1 to 5), column block (1, 2, 4 vectors) and tail of each instruction set.
const std::array kShapes = {Shape{1, 1, 1},   Shape{3, 2, 5},   Shape{4, 5, 16},
                            Shape{7, 3, 33},  Shape{16, 8, 64}, Shape{9, 13, 100},
                            Shape{5, 4, 256}, Shape{17, 6, 255}};

int padded(int n) {
  return (n + 15) / 16 * 16;
}

// [features][stride] of random numbers, zero (or anything finite) behind the first n.
FloatArray tile(Random& random, int features, int n, int stride, float behind = 0.0f) {
  FloatArray out(std::int64_t{features} * stride);
  for (int f = 0; f < features; ++f) {
    for (int s = 0; s < stride; ++s) {
      out.data()[f * stride + s] = s < n ? random.uniform(-2, 2) : behind;
    }
  }
  return out;
}

FloatArray numbers(Random& random, int count, float low = -1, float high = 1) {
  FloatArray out(count);
  for (int i = 0; i < count; ++i) out.data()[i] = random.uniform(low, high);
  return out;
}

FloatArray copy(const FloatArray& from) {
  FloatArray out(from.size());
  std::copy_n(from.data(), from.size(), out.data());
  return out;
}

class KernelTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    kernels_ = kernels_named(GetParam());
    if (!kernels_) GTEST_SKIP() << "this machine does not run " << GetParam();
  }
  const Kernels* kernels_ = nullptr;
  Random random_{3};
};

// A sum of k products is off by at most about k units in the last place of its largest partial sum;
// values here are below 2 and k at most 256.
double allowed(int terms) {
  return 4.0 * terms * 6e-8 + 1e-6;
}

TEST_P(KernelTest, Linear) {
  for (const auto& [inputs, outputs, n] : kShapes) {
    const int stride = padded(n) + 16;
    const FloatArray w = numbers(random_, inputs * outputs);
    const FloatArray b = numbers(random_, outputs);
    const FloatArray x = tile(random_, inputs, n, stride);
    for (const float* bias : {b.data(), static_cast<const float*>(nullptr)}) {
      FloatArray y(std::int64_t{outputs} * stride);
      kernels_->linear(w.data(), bias, x.data(), y.data(), inputs, outputs, n, stride);
      for (int o = 0; o < outputs; ++o) {
        for (int s = 0; s < n; ++s) {
          double sum = bias ? bias[o] : 0.0;
          for (int i = 0; i < inputs; ++i) {
            sum += static_cast<double>(w.data()[o * inputs + i]) * x.data()[i * stride + s];
          }
          ASSERT_NEAR(y.data()[o * stride + s], sum, allowed(inputs)) << inputs << " " << o;
        }
      }
    }
  }
}

TEST_P(KernelTest, LinearGradients) {
  for (const auto& [inputs, outputs, n] : kShapes) {
    const int stride = padded(n) + 16;
    const FloatArray w = numbers(random_, inputs * outputs);
    const FloatArray x = tile(random_, inputs, n, stride, 7.0f);  // whatever is behind the samples
    const FloatArray dy = tile(random_, outputs, n, stride);      // gradients are zero there
    for (const bool accumulate : {false, true}) {
      FloatArray dx = tile(random_, inputs, n, stride);
      FloatArray before(dx.size());
      std::copy_n(dx.data(), dx.size(), before.data());
      kernels_->linear_input_gradient(w.data(), dy.data(), dx.data(), inputs, outputs, n, stride,
                                      accumulate);
      for (int i = 0; i < inputs; ++i) {
        for (int s = 0; s < n; ++s) {
          double sum = accumulate ? before.data()[i * stride + s] : 0.0;
          for (int o = 0; o < outputs; ++o) {
            sum += static_cast<double>(w.data()[o * inputs + i]) * dy.data()[o * stride + s];
          }
          ASSERT_NEAR(dx.data()[i * stride + s], sum, allowed(outputs));
        }
      }
    }
    FloatArray dw = numbers(random_, inputs * outputs);
    FloatArray db = numbers(random_, outputs);
    FloatArray dw0(dw.size());
    FloatArray db0(db.size());
    std::copy_n(dw.data(), dw.size(), dw0.data());
    std::copy_n(db.data(), db.size(), db0.data());
    kernels_->linear_weight_gradient(dy.data(), x.data(), dw.data(), db.data(), inputs, outputs, n,
                                     stride);
    for (int o = 0; o < outputs; ++o) {
      double bias = db0.data()[o];
      for (int s = 0; s < n; ++s) bias += dy.data()[o * stride + s];
      ASSERT_NEAR(db.data()[o], bias, allowed(n));
      for (int i = 0; i < inputs; ++i) {
        double sum = dw0.data()[o * inputs + i];
        for (int s = 0; s < n; ++s) {
          sum += static_cast<double>(dy.data()[o * stride + s]) * x.data()[i * stride + s];
        }
        ASSERT_NEAR(dw.data()[o * inputs + i], sum, 2 * allowed(n)) << o << " " << i << " " << n;
      }
    }
  }
}

TEST_P(KernelTest, GatherIsACopy) {
  for (const int features : {1, 3, 8, 16, 21}) {
    for (const int n : {1, 7, 16, 53, 256}) {
      const FloatArray table = numbers(random_, 400 * features);
      std::vector<std::uint32_t> rows;
      for (int s = 0; s < n; ++s) rows.push_back(random_.up_to(399));
      const int stride = padded(n);
      FloatArray x(std::int64_t{features} * stride);
      kernels_->gather(table.data(), rows.data(), n, features, x.data(), stride);
      for (int f = 0; f < features; ++f) {
        for (int s = 0; s < stride; ++s) {
          const float expected = s < n ? table.data()[rows[static_cast<std::size_t>(s)] *
                                                          static_cast<unsigned>(features) +
                                                      static_cast<unsigned>(f)]
                                       : 0.0f;
          ASSERT_EQ(x.data()[f * stride + s], expected) << features << " " << n;
        }
      }
    }
  }
}

TEST_P(KernelTest, ConsecutiveRowsAreToldFromOthers) {
  EXPECT_FALSE(kernels_->consecutive(nullptr, 0));
  for (const std::uint32_t first : {0u, 5u, 0x7fffffe0u}) {
    for (const int n : {1, 2, 16, 63, 64, 65, 200}) {
      std::vector<std::uint32_t> rows(static_cast<std::size_t>(n));
      std::iota(rows.begin(), rows.end(), first);
      ASSERT_TRUE(kernels_->consecutive(rows.data(), n));
      for (int i = 1; i < n; ++i) {
        std::uint32_t& row = rows[static_cast<std::size_t>(i)];
        ++row;
        ASSERT_FALSE(kernels_->consecutive(rows.data(), n)) << i;
        --row;
      }
    }
  }
}

TEST_P(KernelTest, Moments) {
  for (const int features : {1, 2, 3, 5, 16}) {
    for (const int n : {1, 2, 31, 32, 100, 256}) {
      const int stride = padded(n);
      const FloatArray x = tile(random_, features, n, stride, 9.0f);
      std::vector<float> mean(static_cast<std::size_t>(features));
      std::vector<float> m2(mean);
      kernels_->moments(x.data(), features, n, stride, mean.data(), m2.data());
      for (int f = 0; f < features; ++f) {
        const auto at = static_cast<std::size_t>(f);
        double sum = 0;
        double squares = 0;
        for (int s = 0; s < n; ++s) sum += x.data()[f * stride + s];
        for (int s = 0; s < n; ++s) squares += std::pow(x.data()[f * stride + s] - sum / n, 2);
        ASSERT_NEAR(mean[at], sum / n, 1e-6);
        ASSERT_NEAR(m2[at], squares, 1e-6 * (1 + squares));
      }
    }
  }
}

// Tiles of 40 samples, the last of 7.
TEST_P(KernelTest, MomentsOfTilesFold) {
  for (const int channels : {1, 3, 5, 16, 21}) {
    for (const int tiles : {1, 4}) {
      const int pitch = padded(channels);
      const FloatArray mean = numbers(random_, tiles * pitch, -3, 3);
      const FloatArray m2 = numbers(random_, tiles * pitch, 0, 50);
      const FloatArray gamma = numbers(random_, channels);
      const FloatArray beta = numbers(random_, channels);
      FloatArray out(std::int64_t{4} * pitch);
      FloatArray running_mean = numbers(random_, channels + 1);
      FloatArray running_var = numbers(random_, channels + 1, 0, 1);
      const FloatArray mean_before = copy(running_mean);
      const FloatArray var_before = copy(running_var);
      const NormFold fold{.channels = channels,
                          .moments = {.mean = mean.data(),
                                      .m2 = m2.data(),
                                      .tiles = tiles,
                                      .pitch = pitch,
                                      .count = 40,
                                      .last_count = 7},
                          .epsilon = 1e-5,
                          .momentum = 0.1,
                          .gamma = gamma.data(),
                          .beta = beta.data(),
                          .mean = out.data(),
                          .inverse = out.data() + pitch,
                          .gain = out.data() + std::ptrdiff_t{2} * pitch,
                          .shift = out.data() + std::ptrdiff_t{3} * pitch,
                          .running_mean = running_mean.data(),
                          .running_var = running_var.data()};
      kernels_->fold_moments(fold);
      const double count = (tiles - 1) * 40 + 7;
      for (int c = 0; c < channels; ++c) {
        double sum = 0;
        double squares = 0;  // about zero
        for (int k = 0; k < tiles; ++k) {
          const double n = k + 1 < tiles ? 40 : 7;
          const double centre = mean.data()[k * pitch + c];
          sum += n * centre;
          squares += m2.data()[k * pitch + c] + n * centre * centre;
        }
        const double average = sum / count;
        const double around = squares - count * average * average;
        const double inverse = 1 / std::sqrt(around / count + 1e-5);
        const double gain = gamma.data()[c] * inverse;
        // Doubles rounded to float once: half a unit in the last place.
        const auto expect = [&](float value, double exact) {
          ASSERT_NEAR(value, exact, 1e-7 * std::max(1.0, std::abs(exact)));
        };
        expect(fold.mean[c], average);
        expect(fold.inverse[c], inverse);
        expect(fold.gain[c], gain);
        expect(fold.shift[c], beta.data()[c] - average * gain);
        expect(running_mean.data()[c], 0.9 * mean_before.data()[c] + 0.1 * average);
        expect(running_var.data()[c], 0.9 * var_before.data()[c] + 0.1 * around / (count - 1));
      }
      ASSERT_EQ(running_mean.data()[channels], mean_before.data()[channels])
          << "nothing is written behind the end";
      ASSERT_EQ(running_var.data()[channels], var_before.data()[channels]);
    }
  }
}

TEST_P(KernelTest, GradientsOfTilesFold) {
  for (const int channels : {1, 3, 5, 16, 21}) {
    for (const int area : {1, 3}) {
      const int tiles = 3;
      const int pitch = padded(channels * area);
      const FloatArray s1 = numbers(random_, tiles * pitch);
      const FloatArray s2 = numbers(random_, tiles * pitch);
      const FloatArray mean = numbers(random_, channels);
      const FloatArray inverse = numbers(random_, channels, 1, 2);
      const FloatArray gain = numbers(random_, channels);
      FloatArray out(std::int64_t{3} * padded(channels));
      FloatArray dgamma = numbers(random_, channels + 1);
      FloatArray dbeta = numbers(random_, channels + 1);
      const FloatArray dgamma_before = copy(dgamma);
      const FloatArray dbeta_before = copy(dbeta);
      const NormGradientFold fold{.channels = channels,
                                  .area = area,
                                  .s1 = s1.data(),
                                  .s2 = s2.data(),
                                  .tiles = tiles,
                                  .pitch = pitch,
                                  .count = 50,
                                  .mean = mean.data(),
                                  .inverse = inverse.data(),
                                  .gain = gain.data(),
                                  .a = out.data(),
                                  .b = out.data() + padded(channels),
                                  .c = out.data() + std::ptrdiff_t{2} * padded(channels),
                                  .dgamma = dgamma.data(),
                                  .dbeta = dbeta.data()};
      kernels_->fold_gradient(fold);
      for (int c = 0; c < channels; ++c) {
        double sum1 = 0;
        double sum2 = 0;
        for (int k = 0; k < tiles; ++k) {
          for (int i = 0; i < area; ++i) {
            sum1 += s1.data()[k * pitch + c * area + i];
            sum2 += s2.data()[k * pitch + c * area + i];
          }
        }
        const double g = gain.data()[c];
        const double over_sigma = inverse.data()[c];
        const double b = -g * over_sigma * over_sigma * sum2 / 50;
        // Doubles rounded to float once, sums twice.
        ASSERT_EQ(fold.a[c], gain.data()[c]);
        ASSERT_NEAR(fold.b[c], b, 1e-7);
        ASSERT_NEAR(fold.c[c], -g * sum1 / 50 - b * mean.data()[c], 1e-7);
        ASSERT_NEAR(dgamma.data()[c], dgamma_before.data()[c] + sum2 * over_sigma, 1e-6);
        ASSERT_NEAR(dbeta.data()[c], dbeta_before.data()[c] + sum1, 1e-6);
      }
      ASSERT_EQ(dgamma.data()[channels], dgamma_before.data()[channels]);
      ASSERT_EQ(dbeta.data()[channels], dbeta_before.data()[channels]);
    }
  }
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

double activate(Activation activation, double x, double low, double high) {
  switch (activation) {
    case Activation::None:
      return x;
    case Activation::Relu:
      return std::max(x, 0.0);
    case Activation::Clamp:
      return std::clamp(x, low, high);
    case Activation::Sigmoid:
      return sigmoid(x);
    case Activation::Tanh:
      return std::tanh(x);
  }
  return x;
}

double slope(Activation activation, double x, double low, double high) {
  switch (activation) {
    case Activation::None:
      return 1;
    case Activation::Relu:
      return x > 0;
    case Activation::Clamp:
      return x > low && x < high;
    case Activation::Sigmoid:
      return sigmoid(x) * (1 - sigmoid(x));
    case Activation::Tanh:
      return 1 - std::pow(std::tanh(x), 2);
  }
  return 1;
}

float on_grid(const Grid* grid, float x) {
  if (!grid) return x;
  return std::clamp(std::nearbyintf(x * grid->scale), grid->low, grid->high) * grid->step;
}

// Norm, ReLU and grid in one pass give the bits of the norm and ReLU, then the grid.
TEST_P(KernelTest, ReluAndGridInOnePassChangeNoBits) {
  const float gains[] = {1.7f, -0.3f, 3e38f, 0.0f};
  const float shifts[] = {0.3f, -0.1f, 1.0f, -3e38f};
  const int features = 4;
  const int n = 256;
  const int stride = padded(n);
  FloatArray x = tile(random_, features, n, stride);
  const float special[] = {NAN, HUGE_VALF, -HUGE_VALF, -0.0f, 0.0f, 3e38f, 1e-30f};
  for (int f = 0; f < features; ++f) std::copy_n(special, 7, x.data() + f * stride + 20);
  for (const Grid& grid :
       {Grid{16, 1.0f / 16, -128, 127}, Grid{0.25f, 4, -2, 1}, Grid{8, 0.125f, 0, 15}}) {
    Pointwise p{.gain = gains, .shift = shifts, .activation = Activation::Relu};
    FloatArray apart(x.size());
    kernels_->pointwise(p, x.data(), apart.data(), features, n, stride);
    kernels_->quantise(grid, apart.data(), apart.data(), std::int64_t{features} * stride);
    p.quantise_out = &grid;
    FloatArray together(x.size());
    kernels_->pointwise(p, x.data(), together.data(), features, n, stride);
    for (int f = 0; f < features; ++f) {
      for (int s = 0; s < n; ++s) {
        const float expected = apart.data()[f * stride + s];
        const float got = together.data()[f * stride + s];
        if (std::isnan(expected) && std::isnan(got)) continue;
        ASSERT_EQ(got, expected) << f << " " << s;
        ASSERT_EQ(std::signbit(got), std::signbit(expected)) << f << " " << s;
      }
    }
  }
}

// Steps of 1/16 in and 1/4 out: a value in float and in float64 may fall on different sides of a
// boundary only where the affine part is inexact, so gains are powers of two here and exact.
TEST_P(KernelTest, PointwiseFormsAndGradients) {
  const Grid in{.scale = 16, .step = 1.0f / 16, .low = -20, .high = 23};
  const Grid out{.scale = 4, .step = 0.25f, .low = -5, .high = 6};
  const float gains[] = {2.0f, -0.5f, 1.0f};
  const float shifts[] = {0.25f, 0.0f, -1.5f};
  const int features = 3;
  for (const Activation activation : {Activation::None, Activation::Relu, Activation::Clamp,
                                      Activation::Sigmoid, Activation::Tanh}) {
    for (int form = 0; form < 8; ++form) {
      Pointwise p{.activation = activation, .low = -0.5f, .high = 1.25f};
      if (form & 4) p.gain = gains, p.shift = shifts;
      if (form & 2) p.quantise_in = &in;
      if (form & 1) p.quantise_out = &out;
      for (const int n : {3, 50, 256}) {
        const int stride = padded(n);
        FloatArray x = tile(random_, features, n, stride);
        // Multiples of 1/64, so that gain * x + shift is exact.
        for (int i = 0; i < x.size(); ++i) x.data()[i] = std::nearbyintf(x.data()[i] * 64) / 64;
        FloatArray y(x.size());
        kernels_->pointwise(p, x.data(), y.data(), features, n, stride);
        FloatArray d = tile(random_, features, n, stride);
        FloatArray before(d.size());
        std::copy_n(d.data(), d.size(), before.data());
        const float mean[] = {0.5f, 0.0f, -0.25f};
        float s1[3] = {};
        float s2[3] = {};
        kernels_->pointwise_gradient(p, x.data(), d.data(), features, n, stride, mean, s1, s2);
        for (int f = 0; f < features; ++f) {
          double sum1 = 0;
          double sum2 = 0;
          for (int s = 0; s < n; ++s) {
            const int at = f * stride + s;
            float value = x.data()[at];
            if (p.gain) value = gains[f] * value + shifts[f];
            value = on_grid(p.quantise_in, value);
            const double result = activate(activation, value, p.low, p.high);
            // Sigmoid and tanh may differ in the last place, which the grid can make a step of.
            const bool exact = activation != Activation::Sigmoid && activation != Activation::Tanh;
            const double expected = on_grid(p.quantise_out, static_cast<float>(result));
            ASSERT_NEAR(y.data()[at], expected, exact ? 0 : p.quantise_out ? 0.25 : 3e-7);
            const double gradient = before.data()[at] * slope(activation, value, p.low, p.high);
            ASSERT_NEAR(d.data()[at], gradient, 1e-6);
            sum1 += gradient;
            sum2 += gradient * (x.data()[at] - mean[f]);
          }
          ASSERT_NEAR(s1[f], sum1, allowed(n));
          ASSERT_NEAR(s2[f], sum2, 4 * allowed(n));
        }
      }
    }
  }
}

TEST_P(KernelTest, QuantiseIsTheGrid) {
  const Grid grid{.scale = 8, .step = 0.125f, .low = -9, .high = 7};
  for (const int count : {1, 3, 4, 15, 16, 17, 100}) {
    FloatArray x = numbers(random_, count + 1, -3, 3);
    FloatArray y(count + 2);
    y.data()[count + 1] = 42;
    kernels_->quantise(grid, x.data() + 1, y.data() + 1, count);
    for (int i = 1; i <= count; ++i) ASSERT_EQ(y.data()[i], on_grid(&grid, x.data()[i]));
    ASSERT_EQ(y.data()[count + 1], 42) << "nothing is written behind the end";
  }
}

TEST_P(KernelTest, CrossEntropy) {
  for (const int classes : {1, 2, 3, 4, 5, 6, 7, 10, 256}) {
    for (const int n : {1, 8, 17, 77, 256}) {
      const int stride = padded(n);
      FloatArray z = tile(random_, classes, n, stride);
      for (int i = 0; i < z.size(); ++i)
        z.data()[i] = std::nearbyintf(z.data()[i] * 4) * 3;  // ties
      std::vector<std::uint8_t> labels(static_cast<std::size_t>(stride), 0);
      for (int s = 0; s < n; ++s) {
        labels[static_cast<std::size_t>(s)] =
            static_cast<std::uint8_t>(random_.up_to(static_cast<std::uint32_t>(classes - 1)));
      }
      FloatArray dz(z.size());
      double loss = 0;
      std::int64_t correct = 0;
      const std::array<char, 64 * 9> behind = {};  // fewer lines than there is time for, or more
      const char* const end = behind.data() + behind.size();
      ReadAhead ahead{behind.data(), 9};
      kernels_->cross_entropy(z.data(), labels.data(), classes, n, stride, 0.5f, dz.data(), &loss,
                              &correct, ahead);
      ASSERT_EQ(ahead.at + ahead.lines * 64, end) << "never beyond its lines";
      ASSERT_GE(ahead.lines, 0);
      double expected_loss = 0;
      std::int64_t expected_correct = 0;
      for (int s = 0; s < n; ++s) {
        const auto logit = [&](int c) { return static_cast<double>(z.data()[c * stride + s]); };
        const int label = labels[static_cast<std::size_t>(s)];
        int best = 0;
        for (int c = 1; c < classes; ++c) best = logit(c) > logit(best) ? c : best;
        double total = 0;
        for (int c = 0; c < classes; ++c) total += std::exp(logit(c) - logit(best));
        expected_loss += std::log(total) + logit(best) - logit(label);
        expected_correct += best == label;
        for (int c = 0; c < classes; ++c) {
          const double expected = (std::exp(logit(c) - logit(best)) / total - (c == label)) * 0.5;
          ASSERT_NEAR(dz.data()[c * stride + s], expected, 2e-7);
        }
      }
      for (int s = n; s < padded(n); ++s) {
        // The vectors that hold samples are zero behind them.
        if (s < n + 3) continue;
        for (int c = 0; c < classes; ++c) ASSERT_EQ(dz.data()[c * stride + s], 0) << s;
      }
      ASSERT_NEAR(loss, expected_loss, 1e-6 * (1 + std::abs(expected_loss)));
      ASSERT_EQ(correct, expected_correct);
      loss = 0;
      correct = 0;
      kernels_->cross_entropy(z.data(), labels.data(), classes, n, stride, 0.5f, nullptr, &loss,
                              &correct, ahead);
      ASSERT_NEAR(loss, expected_loss, 1e-6 * (1 + std::abs(expected_loss))) << "no gradient";
      ASSERT_EQ(correct, expected_correct);
    }
  }
}

// As LibTorch: a NaN makes the loss NaN, and the first NaN is what the network decides for.
TEST_P(KernelTest, CrossEntropyOfWhatIsNoNumber) {
  const float nan = std::nanf("");
  const float infinity = HUGE_VALF;
  struct Case {
    float logits[3];
    int decided;
    bool finite;
  };
  for (const auto& [logits, decided, finite] :
       {Case{{1, nan, 5}, 1, false}, Case{{nan, nan, 0}, 0, false},
        Case{{infinity, 0, 0}, 0, false}, Case{{0, infinity, infinity}, 1, false},
        Case{{-infinity, 0, -1}, 1, true}, Case{{0, 100, -100}, 1, true}}) {
    for (int i = 0; i < 12; ++i) {  // three labels, with gradient and without, few classes and more
      const int label = i % 3;
      const int classes = i < 6 ? 3 : 9;
      FloatArray z(std::int64_t{classes} * 16);
      for (int c = 0; c < classes; ++c) z.data()[c * 16 + 1] = c < 3 ? logits[c] : -infinity;
      FloatArray dz(z.size());
      const std::vector<std::uint8_t> labels(16, static_cast<std::uint8_t>(label));
      double loss = 0;
      std::int64_t correct = 0;
      ReadAhead ahead;
      kernels_->cross_entropy(z.data(), labels.data(), classes, 2, 16, 1,
                              i % 6 < 3 ? nullptr : dz.data(), &loss, &correct, ahead);
      EXPECT_EQ(correct, (label == 0) + (label == decided)) << label << " " << logits[1];
      const bool infinite = logits[label] == -infinity;
      EXPECT_EQ(std::isfinite(loss), finite && !infinite);
    }
  }
}

TEST_P(KernelTest, Softmax) {
  for (const int features : {1, 4, 7}) {
    const int n = 45;
    const int stride = padded(n);
    const FloatArray x = tile(random_, features, n, stride);
    FloatArray y(x.size());
    kernels_->softmax(x.data(), y.data(), features, n, stride);
    const FloatArray dy = tile(random_, features, n, stride);
    FloatArray dx(x.size());
    kernels_->softmax_gradient(y.data(), dy.data(), dx.data(), features, n, stride, false);
    for (int s = 0; s < n; ++s) {
      double total = 0;
      double dot = 0;
      for (int f = 0; f < features; ++f) total += std::exp(x.data()[f * stride + s]);
      for (int f = 0; f < features; ++f) {
        dot += std::exp(x.data()[f * stride + s]) / total * dy.data()[f * stride + s];
      }
      for (int f = 0; f < features; ++f) {
        const double expected = std::exp(x.data()[f * stride + s]) / total;
        ASSERT_NEAR(y.data()[f * stride + s], expected, 3e-7);
        ASSERT_NEAR(dx.data()[f * stride + s], expected * (dy.data()[f * stride + s] - dot), 1e-6);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, KernelTest,
                         ::testing::Values("avx512", "avx2", "portable"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace mase::engine::native
