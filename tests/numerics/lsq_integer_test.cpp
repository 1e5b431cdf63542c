// Learned steps against the equations of the paper, in float64.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "mase/support/error.h"

namespace mase::numerics {
namespace {

Precision lsq(int width, bool is_signed = true, const char* granularity = "tensor") {
  return make_precision("lsq_integer",
                        {{"width", width}, {"is_signed", is_signed}, {"granularity", granularity}});
}

std::vector<float> normal_numbers(std::size_t count) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> out(count);
  for (float& x : out) x = normal(random);
  return out;
}

TEST(LsqInteger, RoundsInItsSteps) {
  const std::vector<float> step = {0.25f};
  const std::span<const float> state[] = {step};
  Edge edge = parameter_edge({6});
  edge.state = state;
  const std::vector<float> in = {0.3f, -0.4f, 0.375f, 5.0f, -5.0f, 0.0f};
  std::vector<float> out(6);
  quantise(lsq(4), edge, in, out);
  EXPECT_EQ(out, std::vector<float>({0.25f, -0.5f, 0.5f, 1.75f, -2.0f, 0.0f}));
  quantise(lsq(4, false), edge, in, out);
  EXPECT_EQ(out, std::vector<float>({0.25f, 0.0f, 0.5f, 3.75f, 0.0f, 0.0f}));
  EXPECT_EQ(out_of_range(lsq(4), edge, in), 2);
}

// Equations 3 and 5 of the paper with its scale of the step's gradient. Tolerance: the kernel
// computes x / s in float32, relative 2^-23 of terms of magnitude 8 at most, 600 of them.
TEST(LsqInteger, GradientsAreThoseOfThePaper) {
  const Edge plain = data_edge({20, 5, 6});
  const std::vector<float> in = normal_numbers(600);
  const std::vector<float> grad = normal_numbers(600);
  for (const char* granularity : {"tensor", "channel"}) {
    const Precision p = lsq(4, true, granularity);
    const bool by_channel = p.text("granularity") == "channel";
    std::vector<float> steps(by_channel ? 5 : 1);
    for (std::size_t c = 0; c < steps.size(); ++c) steps[c] = 0.2f + 0.05f * static_cast<float>(c);
    const std::span<const float> state[] = {steps};
    Edge edge = plain;
    edge.state = state;
    std::vector<float> of_input(600);
    std::vector<float> of_steps(steps.size(), 0.0f);
    const std::vector<std::span<float>> spans = {of_steps};
    find_format("lsq_integer")->gradient(p, edge, in, grad, of_input, spans);

    std::vector<double> expected(steps.size(), 0.0);
    const double scale = 1 / std::sqrt((by_channel ? 6.0 : 30.0) * 7.0);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::size_t c = by_channel ? i / 6 % 5 : 0;
      const double v = static_cast<double>(in[i]) / static_cast<double>(steps[c]);
      const bool inside = v > -8 && v < 7;
      EXPECT_EQ(of_input[i], inside ? grad[i] : 0.0f);
      const double by_step = inside ? std::nearbyint(v) - v : v <= -8 ? -8 : 7;
      expected[c] += static_cast<double>(grad[i]) * by_step * scale;
    }
    for (std::size_t c = 0; c < steps.size(); ++c) EXPECT_NEAR(of_steps[c], expected[c], 1e-4);
  }
}

TEST(LsqInteger, BeginsAsThePaperDoes) {
  const std::vector<float> in = {1.0f, -3.0f, 2.0f, -2.0f};
  std::vector<float> step(1);
  const std::vector<std::span<float>> state = {step};
  find_format("lsq_integer")->initialise(lsq(4), parameter_edge({4}), in, state);
  EXPECT_EQ(step[0], static_cast<float>(2 * 2.0 / std::sqrt(7.0)));
  find_format("lsq_integer")
      ->initialise(lsq(4), parameter_edge({2}), std::vector<float>{0.0f, 0.0f}, state);
  EXPECT_GT(step[0], 0.0f);
}

TEST(LsqInteger, AStepThatFellToZeroOrBelowStillRounds) {
  for (const float bad : {0.0f, -0.25f}) {
    const std::vector<float> step = {bad};
    const std::span<const float> state[] = {step};
    Edge edge = parameter_edge({2});
    edge.state = state;
    std::vector<float> out(2);
    quantise(lsq(4), edge, std::vector<float>{0.3f, -0.4f}, out);
    EXPECT_TRUE(std::isfinite(out[0]) && std::isfinite(out[1]));
  }
}

TEST(LsqInteger, OneBitNeedsNoSign) {
  EXPECT_THROW(lsq(1), Error);
  EXPECT_NO_THROW(lsq(1, false));
}

}  // namespace
}  // namespace mase::numerics
