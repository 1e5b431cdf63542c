// Convolutions and poolings by their definitions: nested loops over every output and its window.
#include <cmath>
#include <functional>
#include <limits>

#include "tests/engine/op_case.h"

namespace mase::engine::test {
namespace {

// Both dimensions of space of a window; sequences have one row.
struct Geometry {
  int kernel[2] = {1, 1};
  int stride[2] = {1, 1};
  int padding[2] = {0, 0};
  int dilation[2] = {1, 1};
};

int out_size(const Geometry& g, int axis, int length) {
  return (length + 2 * g.padding[axis] - g.dilation[axis] * (g.kernel[axis] - 1) - 1) /
             g.stride[axis] +
         1;
}

struct Convolution {
  std::string layer;
  ir::Shape input;  // [N, C, L] or [N, C, H, W]
  int out = 1;
  Geometry geometry = {};
  int groups = 1;
  std::string mode = "zeros";
};

int wrapped(int at, int length, const std::string& mode) {
  if (at >= 0 && at < length) return at;
  if (mode == "circular") return (at + length) % length;
  if (mode == "replicate") return at < 0 ? 0 : length - 1;
  if (mode == "reflect") return at < 0 ? -at : 2 * (length - 1) - at;
  return -1;
}

OpCase convolution(const Convolution& c) {
  OpCase out{.name = c.layer + " on " + ir::text(c.input),
             .graph = sequence({c.layer}),
             .inputs = {random_tensor(c.input, 31)},
             .expected = {}};
  const ir::Tensor weight = out.graph.find_parameter("seq_blocks.0.weight")->value;
  const ir::Parameter* bias = out.graph.find_parameter("seq_blocks.0.bias");
  const Geometry& g = c.geometry;
  const int in = static_cast<int>(c.input[1]);
  const int height = c.input.size() == 3 ? 1 : static_cast<int>(c.input[2]);
  const int width = static_cast<int>(c.input.back());
  const int in_group = in / c.groups;
  const auto at = [&](std::int64_t n, int channel, int y, int x) {
    y = wrapped(y, height, c.mode);
    x = wrapped(x, width, c.mode);
    if (y < 0 || x < 0) return 0.0;
    return out.inputs[0].at(((n * in + channel) * height + y) * width + x);
  };
  for (std::int64_t n = 0; n < c.input[0]; ++n) {
    for (int o = 0; o < c.out; ++o) {
      const int group = o / (c.out / c.groups);
      for (int y = 0; y < out_size(g, 0, height); ++y) {
        for (int x = 0; x < out_size(g, 1, width); ++x) {
          double sum = bias ? bias->value.at(o) : 0;
          for (int i = 0; i < in_group; ++i) {
            for (int ky = 0; ky < g.kernel[0]; ++ky) {
              for (int kx = 0; kx < g.kernel[1]; ++kx) {
                sum +=
                    weight.at(((o * in_group + i) * g.kernel[0] + ky) * g.kernel[1] + kx) *
                    at(n, group * in_group + i, y * g.stride[0] - g.padding[0] + ky * g.dilation[0],
                       x * g.stride[1] - g.padding[1] + kx * g.dilation[1]);
              }
            }
          }
          out.expected.push_back(sum);
        }
      }
    }
  }
  return out;
}

// A pooling whose windows the caller counts out: first and last entry of each position.
struct Span {
  int first;
  int last;  // not included
  int divisor;
  int step = 1;
};

OpCase pooling(const std::string& layer, ir::Shape input, const std::vector<Span>& rows,
               const std::vector<Span>& columns, bool largest, double divisor = 0) {
  OpCase out{.name = layer + " on " + ir::text(input),
             .graph = sequence({layer}),
             .inputs = {random_tensor(input, 32, -2, 2)},
             .expected = {}};
  const auto height = input.size() == 3 ? 1 : input[2];
  const auto width = input.back();
  for (std::int64_t plane = 0; plane < input[0] * input[1]; ++plane) {
    for (const Span& y : rows) {
      for (const Span& x : columns) {
        double sum = 0;
        double most = -std::numeric_limits<double>::infinity();
        for (int i = y.first; i < y.last; i += y.step) {
          for (int k = x.first; k < x.last; k += x.step) {
            if (i < 0 || i >= height || k < 0 || k >= width) continue;
            const double value = out.inputs[0].at((plane * height + i) * width + k);
            sum += value;
            most = std::max(most, value);
          }
        }
        out.expected.push_back(largest ? most
                                       : sum / (divisor > 0 ? divisor : y.divisor * x.divisor));
      }
    }
  }
  return out;
}

}  // namespace

std::vector<OpCase> convolution_cases() {
  const Convolution cases[] = {
      {"Conv2d(1, 6, 5)", {3, 1, 9, 8}, 6, {.kernel = {5, 5}}},
      {"Conv2d(3, 4, 3, 1, 1)", {2, 3, 5, 6}, 4, {.kernel = {3, 3}, .padding = {1, 1}}},
      {"Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), groups=2)",
       {5, 4, 7, 6},
       6,
       {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}},
       2},
      {"Conv2d(4, 4, 3, groups=4, bias=False)", {2, 4, 5, 5}, 4, {.kernel = {3, 3}}, 4},
      // A stride beyond the kernel leaves entries unread.
      {"Conv2d(2, 3, 2, 3)", {2, 2, 9, 8}, 3, {.kernel = {2, 2}, .stride = {3, 3}}},
      {"Conv2d(7, 13, 1)", {2, 7, 3, 3}, 13, {}},
      {"Conv2d(2, 3, 5, padding=same)", {2, 2, 4, 6}, 3, {.kernel = {5, 5}, .padding = {2, 2}}},
      {"Conv2d(2, 3, 3, padding=valid)", {2, 2, 4, 6}, 3, {.kernel = {3, 3}}},
      {"Conv2d(40, 33, 3)", {1, 40, 4, 4}, 33, {.kernel = {3, 3}}},
      {"Conv2d(2, 3, 3, 1, 1, padding_mode=circular)",
       {2, 2, 4, 6},
       3,
       {.kernel = {3, 3}, .padding = {1, 1}},
       1,
       "circular"},
      {"Conv2d(2, 3, 3, 1, (0, 1), padding_mode=replicate)",
       {2, 2, 4, 6},
       3,
       {.kernel = {3, 3}, .padding = {0, 1}},
       1,
       "replicate"},
      {"Conv1d(2, 3, 3, 2, 2, padding_mode=reflect)",
       {2, 2, 7},
       3,
       {.kernel = {1, 3}, .stride = {1, 2}, .padding = {0, 2}},
       1,
       "reflect"},
      {"Conv1d(3, 4, 3, 1, 1)", {4, 3, 7}, 4, {.kernel = {1, 3}, .padding = {0, 1}}},
      {"Conv1d(4, 4, 3, stride=2, padding=2, dilation=2, groups=2, bias=False)",
       {3, 4, 9},
       4,
       {.kernel = {1, 3}, .stride = {1, 2}, .padding = {0, 2}, .dilation = {1, 2}},
       2}};
  std::vector<OpCase> out;
  for (const Convolution& c : cases) out.push_back(convolution(c));
  return out;
}

std::vector<OpCase> pooling_cases() {
  const std::vector<Span> one = {{0, 1, 1}};
  const std::vector<Span> twos = {{0, 2, 2}, {2, 4, 2}};
  return {
      pooling("MaxPool2d(2)", {3, 2, 4, 5}, twos, twos, true),
      pooling("MaxPool2d(2, ceil_mode=True)", {3, 2, 4, 5}, twos, {{0, 2, 2}, {2, 4, 2}, {4, 6, 2}},
              true),
      pooling("MaxPool2d((3, 2), (2, 1), (1, 0))", {2, 3, 4, 4}, {{-1, 2, 3}, {1, 4, 3}},
              {{0, 2, 2}, {1, 3, 2}, {2, 4, 2}}, true),
      pooling("MaxPool1d(2, 1, dilation=2)", {2, 3, 5}, one,
              {{0, 3, 2, 2}, {1, 4, 2, 2}, {2, 5, 2, 2}}, true),
      pooling("AvgPool2d(2)", {3, 2, 4, 5}, twos, twos, false),
      pooling("AvgPool2d(2, divisor_override=3)", {3, 2, 4, 5}, twos, twos, false, 3),
      // The last window reaches over the padding: what lies beyond is not counted.
      pooling("AvgPool2d(3, 2, 1, ceil_mode=True)", {2, 3, 4, 5},
              {{-1, 2, 3}, {1, 4, 3}, {3, 6, 2}}, {{-1, 2, 3}, {1, 4, 3}, {3, 6, 3}}, false),
      pooling("AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False)", {2, 3, 4, 5},
              {{-1, 2, 2}, {1, 4, 3}, {3, 6, 1}}, {{-1, 2, 2}, {1, 4, 3}, {3, 6, 2}}, false),
      pooling("AvgPool1d(3, 2, 1)", {2, 3, 5}, one, {{-1, 2, 3}, {1, 4, 3}, {3, 6, 3}}, false),
      pooling("AdaptiveAvgPool2d((2, 3))", {2, 3, 5, 4}, {{0, 3, 3}, {2, 5, 3}},
              {{0, 2, 2}, {1, 3, 2}, {2, 4, 2}}, false),
      pooling("AdaptiveAvgPool2d((None, 1))", {2, 3, 2, 4}, {{0, 1, 1}, {1, 2, 1}}, {{0, 4, 4}},
              false),
      pooling("AdaptiveAvgPool1d(2)", {2, 3, 5}, one, {{0, 3, 3}, {2, 5, 3}}, false),
  };
}

}  // namespace mase::engine::test
