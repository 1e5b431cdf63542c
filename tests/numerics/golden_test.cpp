// The integer format against what users printed and what the original computes.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "mase/io/npz.h"
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
  EXPECT_EQ(precision.format->code_text(precision, codes.elements[0]), "-4/16");
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
  EXPECT_EQ(kInteger.gradient, Gradient::StraightThrough);
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
