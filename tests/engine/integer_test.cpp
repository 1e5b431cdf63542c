// Integer evaluation against the float evaluation of the same program, bit by bit, and against sums
// in 64-bit integers: random networks, every accumulation form, every instruction set. AVX2 runs
// as it is where the machine has it; AVX-512 and VNNI run emulated (emulated_avx512.h) where SIMDe
// is installed, and as they are where the machine has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <ostream>
#include <set>

#include "mase/engine/native/program.h"
#include "mase/numerics/integer.h"
#include "tests/engine/integer_networks.h"

namespace mase::engine::native {

#if defined(MASE_EMULATED_KERNELS)
namespace avx512_emulated {
extern const IntegerKernels kIntegerTable;
}
namespace avx512vnni_emulated {
extern const IntegerKernels kIntegerTable;
}
#endif

namespace {

using test::IntegerCase;

constexpr int kNetworks = 150;

// Float kernels and the integer ones that are to give the same bits.
struct Pair {
  std::string name;
  const Kernels* floats;
  const IntegerKernels* integers;
};

void PrintTo(const Pair& pair, std::ostream* out) {
  *out << pair.name;
}

std::vector<Pair> pairs() {
  std::vector<Pair> out = {
      {"portable", find_kernels("portable"), find_integer_kernels("portable")}};
  const Kernels* avx2 = find_kernels("avx2");
  const Kernels* avx512 = find_kernels("avx512");
  if (avx2) out.push_back({"avx2", avx2, find_integer_kernels("avx2")});
  for (const char* name : {"avx512", "avx512vnni"}) {
    const IntegerKernels* integers = find_integer_kernels(name);
    if (integers) out.push_back({name, avx512, integers});
  }
#if defined(MASE_EMULATED_KERNELS)
  if (avx2) {
    out.push_back({"avx512_emulated", avx2, &avx512_emulated::kIntegerTable});
    out.push_back({"avx512vnni_emulated", avx2, &avx512vnni_emulated::kIntegerTable});
  }
#endif
  return out;
}

// The forms in which a layer can be evaluated; one that is not proven falls to the next.
std::vector<IntegerOptions> forms(const IntegerKernels* kernels) {
  return {{.kernels = kernels},
          {.kernels = kernels, .longest_run = 2},
          {.kernels = kernels, .longest_run = 1},
          {.kernels = kernels, .bytes = false}};
}

ir::Tensor logits(Program& program, const ir::Tensor& x, Mode mode = Mode::Eval) {
  return program.forward({&x, 1}, mode);
}

bool same_bits(const ir::Tensor& a, const ir::Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

ir::Tensor labels_for(std::int64_t rows, std::int64_t classes) {
  ir::Tensor out({rows}, ir::DType::Int64);
  Random random(3);
  for (auto& label : out.values_mut<std::int64_t>()) {
    label = random.up_to(static_cast<std::uint32_t>(classes - 1));
  }
  return out;
}

void expect_same_result(const BatchResult& a, const BatchResult& b) {
  EXPECT_EQ(a.correct, b.correct);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(a.loss), std::bit_cast<std::uint64_t>(b.loss))
      << a.loss << " " << b.loss;
}

class Integer : public ::testing::TestWithParam<Pair> {};

TEST_P(Integer, RandomNetworksGiveTheBitsOfTheFloatEvaluation) {
  const std::int64_t sizes[] = {1, 2, 15, 16, 17, 255, 256, 257, 600};
  std::set<std::string> seen;  // forms, to know that the test reaches them
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    const IntegerCase net = test::random_integer_case(seed);
    SCOPED_TRACE(fmt::format("seed {}: {}", seed, net.text));
    const ir::State state = test::random_state(net.graph, seed);
    NativeProgram floats(net.graph, {}, *GetParam().floats, {.enabled = false});
    floats.load_state(state);
    const std::int64_t rows = sizes[seed % std::size(sizes)];
    const ir::Tensor x = test::random_rows(rows, net.features, seed, seed % 4 == 3);
    const ir::Tensor y = labels_for(rows, net.classes);
    Random random(seed);
    const auto order = random.permutation(static_cast<std::uint32_t>(rows));
    const Batch batch{.features = &x, .labels = &y, .rows = order, .next_rows = {}};
    const ir::Tensor expected = logits(floats, x);
    const BatchResult result = floats.evaluate(batch);
    // Consecutive rows, not from the first on, are read without their numbers.
    const auto some = test::range(static_cast<std::uint32_t>(rows / 3),
                                  static_cast<std::uint32_t>(rows - rows / 3));
    const Batch in_order{.features = &x, .labels = &y, .rows = some, .next_rows = {}};
    const BatchResult result_in_order = floats.evaluate(in_order);
    for (const IntegerOptions& options : forms(GetParam().integers)) {
      NativeProgram integers(net.graph, {}, *GetParam().floats, options);
      integers.load_state(state);
      EXPECT_TRUE(same_bits(logits(integers, x), expected));
      expect_same_result(integers.evaluate(batch), result);
      expect_same_result(integers.evaluate(in_order), result_in_order);
      for (const std::string& line : integers.integer_report()) {
        const std::string form = line.substr(line.find(": ") + 2);
        seen.insert(form.substr(0, form.find(':')));
      }
      if (::testing::Test::HasFailure()) {
        for (const std::string& line : integers.integer_report()) ADD_FAILURE() << line;
        return;
      }
    }
  }
  std::set<std::string> expected = {"16-bit codes", "float"};
  if (GetParam().integers->adds_in_16_bits) {
    expected.insert({"8-bit codes, 16-bit sums", "8-bit codes, 16-bit sums of 2",
                     "8-bit codes, 16-bit sums of 4"});
  } else {
    expected.insert("8-bit codes");
  }
  for (const std::string& form : expected) EXPECT_TRUE(seen.contains(form)) << form;
}

// One layer without batch norm: its result is a sum of products of codes, computed here in 64 bits.
TEST_P(Integer, SumsEqualThoseIn64Bits) {
  int exact = 0;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Random random(seed);
    const int inputs = test::between(random, 1, 70);
    const int outputs = test::between(random, 1, 9);
    ir::Graph graph = test::sequence({fmt::format("Linear({}, {})", inputs, outputs)}, seed);
    const numerics::Precision x_format = test::random_format(random, true);
    const numerics::Precision w_format = test::random_format(random, false);
    const numerics::Precision b_format = test::random_format(random, false);
    for (ir::Node& node : graph.nodes_mut()) {
      if (node.op != "linear") continue;
      node.precision = {{"data_in_0", x_format}, {"weight", w_format}, {"bias", b_format}};
    }
    const ir::State state = test::random_state(graph, seed);
    const ir::Tensor x = test::random_rows(33, inputs, seed, false);
    const auto codes = [](const numerics::Precision& format, const ir::Tensor& tensor) {
      return numerics::encode(format, {.shape = tensor.shape()}, tensor.values<float>()).elements;
    };
    const auto xs = codes(x_format, x);
    const auto ws = codes(w_format, state[0].second);
    const auto bs = codes(b_format, state[1].second);
    const double unit =
        numerics::integer_grid(x_format).step * numerics::integer_grid(w_format).step;
    for (const IntegerOptions& options : forms(GetParam().integers)) {
      NativeProgram program(graph, {}, *GetParam().floats, options);
      program.load_state(state);
      const ir::Tensor y = logits(program, x);
      const std::string report = program.integer_report().at(0);
      if (report.find("float") != std::string::npos) continue;
      ++exact;
      for (std::int64_t i = 0; i < y.size(); ++i) {
        const std::int64_t row = i / outputs;
        const std::int64_t o = i % outputs;
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < inputs; ++k) {
          sum += xs[static_cast<std::size_t>(row * inputs + k)] *
                 ws[static_cast<std::size_t>(o * inputs + k)];
        }
        const double expected =
            static_cast<double>(sum) * unit + static_cast<double>(bs[static_cast<std::size_t>(o)]) *
                                                  numerics::integer_grid(b_format).step;
        ASSERT_EQ(y.at(i), expected) << "seed " << seed << ", " << report;
      }
    }
  }
  EXPECT_GT(exact, kNetworks);  // of four forms each
}

TEST_P(Integer, FollowsTheWeights) {
  const ir::Graph graph = test::quantised(test::jsc_toy(), "linear", 8, 4);
  const test::Data data = test::classes(300);
  const auto rows = test::range(0, 300);
  const Batch batch{
      .features = &data.features, .labels = &data.labels, .rows = rows, .next_rows = {}};
  NativeProgram program(graph, {}, *GetParam().floats, {.kernels = GetParam().integers});
  program.set_optimiser({.learning_rate = 1e-2});
  const auto as_in_float = [&] {
    NativeProgram fresh(graph, {}, *GetParam().floats, {.enabled = false});
    fresh.load_state(program.state());
    expect_same_result(program.evaluate(batch), fresh.evaluate(batch));
  };
  as_in_float();
  for (std::uint64_t step = 0; step < 3; ++step) {
    program.train_step(batch, {.step = step});
    as_in_float();
  }
  logits(program, data.features, Mode::Train);  // moves running statistics
  as_in_float();
  program.gradients(batch);
  as_in_float();
  program.load_state(test::random_state(graph, 4));
  as_in_float();
}

// Every layer of the networks that users quantise is evaluated with integers.
TEST_P(Integer, CoversJetNetworks) {
  NativeProgram program(test::quantised(test::jsc_toy(), "linear", 8, 4), {}, *GetParam().floats,
                        {.kernels = GetParam().integers});
  EXPECT_TRUE(program.integer_report().empty());
  const ir::Tensor x = test::random_tensor({5, 16}, 1);
  logits(program, x);
  EXPECT_EQ(program.integer_report().size(), 3u);
  for (const std::string& line : program.integer_report()) {
    EXPECT_THAT(line, ::testing::HasSubstr("8-bit codes")) << line;
    EXPECT_THAT(line, ::testing::StartsWith("seq_blocks_")) << line;
  }
}

// Convolutions stay in float; the linear layers behind them do not.
TEST_P(Integer, GoesOnBehindConvolutions) {
  const ir::Graph graph = test::quantised(
      test::typed(test::sequence({"Conv2d(1, 3, 3)", "BatchNorm2d(3)", "ReLU()", "Flatten()",
                                  "Linear(48, 7)", "ReLU()", "Linear(7, 4)"}),
                  {1, 6, 6}),
      "linear", 8, 4);
  const ir::State state = test::random_state(graph, 2);
  NativeProgram program(graph, {}, *GetParam().floats, {.kernels = GetParam().integers});
  NativeProgram floats(graph, {}, *GetParam().floats, {.enabled = false});
  program.load_state(state);
  floats.load_state(state);
  const ir::Tensor x = test::random_tensor({70, 1, 6, 6}, 3);
  EXPECT_TRUE(same_bits(logits(program, x), logits(floats, x)));
  for (const std::string& line : program.integer_report()) {
    EXPECT_THAT(line, ::testing::HasSubstr("8-bit codes"));
  }
}

// Other rounding, wrapping, other formats, no format: the layer stays in float and says why.
TEST_P(Integer, LeavesOtherFormatsInFloat) {
  struct Other {
    std::string argument;
    void (*change)(numerics::Precision&);
    std::string why;
  };
  const Other others[] = {
      {"data_in_0", [](numerics::Precision& p) { p.values["rounding"] = "toward_zero"; },
       "its input is not on a fixed-point grid"},
      {"weight", [](numerics::Precision& p) { p.values["rounding"] = "nearest_away"; },
       "its weight is not on a fixed-point grid"},
      {"bias", [](numerics::Precision& p) { p.values["overflow"] = "wrap"; },
       "its bias is not on a fixed-point grid"},
      {"weight", [](numerics::Precision& p) { p = {}; }, "its weight is not on a fixed-point grid"},
      {"data_in_0", [](numerics::Precision& p) { p = numerics::integer(20, 4); },
       "the codes of its input have more than 16 bits"},
      {"weight", [](numerics::Precision& p) { p = numerics::integer(32, 24); },
       "the codes of its weight have more than 16 bits"},
  };
  for (const Other& other : others) {
    ir::Graph graph = test::quantised(test::sequence({"Linear(7, 3)"}), "linear", 8, 4);
    for (ir::Node& node : graph.nodes_mut()) {
      for (auto& [argument, precision] : node.precision) {
        if (argument == other.argument) other.change(precision);
      }
    }
    NativeProgram program(graph, {}, *GetParam().floats, {.kernels = GetParam().integers});
    NativeProgram floats(graph, {}, *GetParam().floats, {.enabled = false});
    const ir::Tensor x = test::random_rows(40, 7, 1, false);
    EXPECT_TRUE(same_bits(logits(program, x), logits(floats, x)));
    EXPECT_EQ(program.integer_report().at(0), "seq_blocks_0: float: " + other.why);
  }
}

std::string pair_name(const ::testing::TestParamInfo<Pair>& info) {
  return info.param.name;
}
// Rows straight from the table: the codes of the plain loops, whatever the width, the grid and the
// values; only what has no 32-bit code at all leaves the tile to the floats.
TEST_P(Integer, RowsAreEncodedAsByPlainLoops) {
  const IntegerKernels& plain = *find_integer_kernels("portable");
  const IntegerKernels& kernels = *GetParam().integers;
  constexpr int kStride = 48;
  constexpr int kSamples = 37;
  alignas(64) std::uint32_t codes[2][16 * kStride];
  for (const int features : {1, 4, 7, 8, 15, 16, 17, 33}) {
    const std::vector<float> gain(48, 16.0f);
    const std::vector<float> shift(48, 0.25f);
    for (const auto& [low, high] : {std::pair{-128, 127}, {-128, 15}, {0, 255}, {0, 7}, {-90, 9}}) {
      const Encoding encoding{.gain = gain.data(), .shift = shift.data(), .low = low, .high = high};
      for (const float strange : {0.0f, -3000.0f, -1e8f, 1e8f, 2e8f, -2e8f, NAN}) {
        SCOPED_TRACE(fmt::format("{} features, {} .. {}, {}", features, low, high, strange));
        ir::Tensor table = test::random_rows(kSamples, features, 7, false);
        table.values_mut<float>()[static_cast<std::size_t>(kSamples * features / 2)] = strange;
        bool done[2];
        const IntegerKernels* const both[] = {&plain, &kernels};
        for (int i = 0; i < 2; ++i) {
          done[i] = both[i]->encode_rows(encoding, table.values<float>().data(), nullptr, kSamples,
                                         features, codes[i], kStride);
        }
        ASSERT_EQ(done[1], done[0]);
        ASSERT_EQ(done[0], std::abs(strange) < 1.3e8f);
        if (!done[0]) continue;
        for (int k = 0; k < words_of(features, CodeSize::Bytes); ++k) {
          // Bytes of features that do not exist meet weights of 0.
          const int there = std::min(4, features - 4 * k);
          const std::uint32_t mask = 0xffffffffu >> (8 * (4 - there));
          for (int n = 0; n < kSamples; ++n) {
            ASSERT_EQ(codes[1][k * kStride + n] & mask, codes[0][k * kStride + n] & mask);
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, Integer, ::testing::ValuesIn(pairs()), pair_name);

}  // namespace
}  // namespace mase::engine::native
