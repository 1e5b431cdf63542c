// The integer format against what users printed and what the original computes.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "mase/io/arrays/npz.h"
#include "mase/numerics/integer.h"
#include "tests/shared_data.h"

namespace mase::numerics {
namespace {

nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  return nlohmann::json::parse(in);
}

nlohmann::json golden(const char* section) {
  return read_json(std::filesystem::path(MASE_SOURCE_DIR) / "tests/golden/passes.json")[section];
}

Precision precision_of(const nlohmann::json& args) {
  const nlohmann::json frac = args.value("frac_width", nlohmann::json());
  return integer(args["width"], frac.is_null() ? std::nullopt : std::optional(frac.get<int>()),
                 args.value("is_signed", true));
}

std::vector<float> quantised(const Precision& precision, const std::vector<float>& in) {
  std::vector<float> out(in.size());
  quantise(precision, {}, in, out);
  return out;
}

void expect_equal(const std::vector<float>& actual, const std::vector<float>& expected,
                  const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(actual[i])) << what << " element " << i;
    } else {
      EXPECT_EQ(actual[i], expected[i]) << what << " element " << i;
    }
  }
}

TEST(IntegerGolden, TenWeightsOfAReport) {
  const nlohmann::json expected = golden("quantise_ten_weights");
  const Precision precision = integer(expected["width"], expected["frac_width"].get<int>());
  const auto in = expected["input"].get<std::vector<float>>();
  expect_equal(quantised(precision, in), expected["output"].get<std::vector<float>>(), "weights");
  const Codes codes = encode(precision, {}, in);
  EXPECT_EQ(codes.elements, expected["codes"].get<std::vector<std::int64_t>>());
  EXPECT_EQ(precision.format->code_text(precision, {}, codes, 0), "-4/16");
}

TEST(IntegerGolden, Vectors) {
  const nlohmann::json vectors = golden("integer_vectors");
  ASSERT_EQ(vectors.size(), 5u);
  for (const auto& [name, vector] : vectors.items()) {
    expect_equal(quantised(precision_of(vector["args"]), vector["in"].get<std::vector<float>>()),
                 vector["out"].get<std::vector<float>>(), name);
  }
}

class IntegerVectors : public testing::Test {
 protected:
  void SetUp() override {
    const std::string folder = "mase_runs/vectors/";
    MASE_NEEDS_SHARED_DATA(folder + "quantizers.json");
    cases_ = read_json(shared_data() / (folder + "quantizers.json"));
    arrays_ = io::read_npz(shared_data() / (folder + "quantizers.npz")).or_throw();
  }
  std::vector<float> floats(const nlohmann::json& name) const {
    return ir::find(arrays_, name.get<std::string>())->floats();
  }

  nlohmann::json cases_;
  ir::State arrays_;
};

// Outputs of the original, bit for bit; those it computed in float64 after rounding to float32.
TEST_F(IntegerVectors, Quantise) {
  int count = 0;
  for (const nlohmann::json& one : cases_["cases"]) {
    if (one["function"] != "integer") continue;
    ++count;
    expect_equal(quantised(precision_of(one["args"]), floats(one["input"])), floats(one["output"]),
                 one["id"]);
    // Straight through: the gradient is that of the identity.
    EXPECT_EQ(one["grad"].get<std::string>().rfind("identity", 0), 0u);
  }
  EXPECT_EQ(count, 49);
  EXPECT_EQ(kInteger.gradient, nullptr);
}

// Formats whose formulas the original evaluates in float32 with 1e-9 added to magnitudes, and which
// return what is 1e-8 or less as it is. Here nothing is added and such numbers are rounded like all
// others, so elements where that makes a difference are left out: tiny ones, and those so little
// below a power of two that a float32 logarithm is a whole number. Near a tie what the original
// rounds, the number that is 1e-9 larger, counts as well. Infinities, which the original makes NaN,
// saturate here.
class FloatVectors : public IntegerVectors {
 protected:
  void compare(const nlohmann::json& one, const Precision& precision, const Edge& edge) {
    const std::vector<float> in = floats(one["input"]);
    const std::vector<float> expected = floats(one["output"]);
    std::vector<float> actual(in.size());
    std::vector<float> nudged(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
      nudged[i] = std::copysign(std::fabs(in[i]) + 1e-9f, in[i]);
    }
    quantise(precision, edge, in, actual);
    quantise(precision, edge, nudged, nudged);
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!std::isfinite(in[i]) || std::fabs(in[i]) <= 1e-6f || !std::isfinite(expected[i]))
        continue;
      if (std::floor(std::log2(std::fabs(in[i]))) != std::ilogb(in[i])) continue;
      ++compared_;
      if (nudged[i] == expected[i]) continue;
      EXPECT_EQ(actual[i], expected[i]) << one["id"] << " element " << i << " of " << in[i];
    }
    EXPECT_EQ(one["grad"].get<std::string>().rfind("identity", 0), 0u);
    EXPECT_EQ(precision.format->gradient, nullptr);
  }
  static FieldValue bias(const nlohmann::json& args) {
    const nlohmann::json& bias = args["exponent_bias"];
    return !bias.is_number() ? FieldValue() : FieldValue(bias.get<std::int64_t>());
  }
  static FieldValue number(const nlohmann::json& value) { return value.get<std::int64_t>(); }

  int compared_ = 0;
};

TEST_F(FloatVectors, MinifloatIeee) {
  int count = 0;
  for (const nlohmann::json& one : cases_["cases"]) {
    if (one["function"] != "minifloat_ieee") continue;
    ++count;
    const auto& args = one["args"];
    compare(one,
            make_precision("minifloat_ieee", {{"width", number(args["width"])},
                                              {"exponent_width", number(args["exponent_width"])},
                                              {"exponent_bias", bias(args)}}),
            parameter_edge(one["shape"].get<std::vector<std::int64_t>>()));
  }
  EXPECT_EQ(count, 25);
  EXPECT_GT(compared_, 2000);
}

// The 12 cases that the original fails at (four dimensions and the like) have no output.
TEST_F(FloatVectors, BlockFp) {
  int count = 0;
  for (const nlohmann::json& one : cases_["cases"]) {
    if (one["function"] != "block_fp" || one.contains("error")) continue;
    ++count;
    const auto& args = one["args"];
    FieldValue::List block;
    const nlohmann::json& size = args["block_size"];
    if (size.is_array()) {
      for (const nlohmann::json& entry : size) block.push_back(number(entry));
    } else {
      block.push_back(number(size));
    }
    Edge edge = parameter_edge(one["shape"].get<std::vector<std::int64_t>>());
    edge.samples_first = args["skip_first_dim"].get<bool>();
    compare(one,
            make_precision("block_fp", {{"width", number(args["width"])},
                                        {"exponent_width", number(args["exponent_width"])},
                                        {"exponent_bias", bias(args)},
                                        {"block_size", std::move(block)}}),
            edge);
  }
  EXPECT_EQ(count, 136);
  EXPECT_GT(compared_, 9000);
}

// The bit patterns that go into hardware.
TEST_F(IntegerVectors, BitPatterns) {
  int count = 0;
  for (const nlohmann::json& one : cases_["cases"]) {
    if (one["function"] != "integer_quantizer_for_hw") continue;
    ++count;
    const Codes codes = encode(precision_of(one["args"]), {}, floats(one["input"]));
    const std::vector<float> expected = floats(one["output"]);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(static_cast<double>(bit_pattern(codes.elements[i], one["args"]["width"])),
                static_cast<double>(expected[i]))
          << one["id"] << " element " << i;
    }
  }
  EXPECT_EQ(count, 4);
}

TEST_F(IntegerVectors, Fractions) {
  int count = 0;
  for (const nlohmann::json& one : cases_["integer_fraction"]) {
    ++count;
    const auto choices = one["frac_choices"].get<std::vector<int>>();
    const auto fraction = [&] {
      return integer_fraction(one["width"], choices, one["min_value"], one["max_value"]);
    };
    if (one["result"].is_string()) {  // its error
      EXPECT_ANY_THROW(fraction()) << one;
    } else {
      EXPECT_EQ(fraction(), one["result"].get<int>()) << one;
    }
  }
  EXPECT_EQ(count, 63);
}

}  // namespace
}  // namespace mase::numerics
