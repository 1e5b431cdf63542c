// What holds for every number format that is listed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "mase/numerics/format.h"
#include "mase/support/error.h"
#include "tests/numerics/formats.h"

namespace mase::numerics {
namespace {

std::string name_of(const testing::TestParamInfo<const Format*>& info) {
  return std::string(info.param->name);
}

class EachFormat : public testing::TestWithParam<const Format*> {
 protected:
  const Format& format() const { return *GetParam(); }
  std::vector<Precision> precisions() const { return test::some_precisions(format()); }
};
INSTANTIATE_TEST_SUITE_P(Formats, EachFormat, testing::ValuesIn(formats()), name_of);

std::vector<float> numbers(std::size_t count, float scale, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> out(count);
  for (float& x : out) x = normal(random);
  return out;
}

std::vector<float> quantised(const Precision& precision, const Edge& edge,
                             const std::vector<float>& in) {
  std::vector<float> out(in.size());
  quantise(precision, edge, in, out);
  return out;
}

TEST(Formats, AreSortedAndNamedOnce) {
  EXPECT_TRUE(std::is_sorted(formats().begin(), formats().end(),
                             [](auto* a, auto* b) { return a->name < b->name; }));
  std::vector<std::string> names = format_names();
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST_P(EachFormat, SaysEverythingOfItself) {
  EXPECT_FALSE(format().summary.empty());
  EXPECT_FALSE(format().layer_suffix.empty());
  EXPECT_LE(format().listed, format().fields.size());
  EXPECT_GE(format().listed, 1u);
  for (const Field& field : format().fields) {
    EXPECT_FALSE(field.help.empty()) << field.name;
    EXPECT_TRUE(field.type != FieldType::Int || (field.low && field.high)) << field.name;
  }
  EXPECT_EQ(format().state.empty(), format().state_shape == nullptr);
  EXPECT_EQ(format().state.empty(), format().initialise == nullptr);
  EXPECT_TRUE(format().state.empty() || format().gradient != nullptr);
}

// Quantising what is quantised changes nothing, decoding what was encoded gives the same values,
// and both are as near as an element's neighbours allow.
TEST_P(EachFormat, CodesStandForTheQuantisedValues) {
  for (const Precision& precision : precisions()) {
    for (const auto& shape : test::some_shapes()) {
      for (const float scale : {1e-3f, 1.0f, 50.0f}) {
        const test::BoundEdge bound(precision, data_edge(shape), scale);
        const auto in = numbers(static_cast<std::size_t>(bound.edge.elements()), scale, 1);
        const std::vector<float> once = quantised(precision, bound.edge, in);
        const Codes codes = encode(precision, bound.edge, in);
        std::vector<float> decoded(in.size());
        decode(precision, bound.edge, codes, decoded);
        EXPECT_EQ(decoded, once) << precision.full_text();
        if (format().granularity == Granularity::Element) {
          EXPECT_EQ(quantised(precision, bound.edge, once), once) << precision.full_text();
        }
        for (std::size_t i = 0; i < in.size(); ++i) {
          EXPECT_FALSE(format().code_text(precision, bound.edge, codes, i).empty());
        }
      }
    }
  }
}

TEST_P(EachFormat, InPlaceIsTheSame) {
  for (const Precision& precision : precisions()) {
    const test::BoundEdge bound(precision, data_edge({5, 33}), 1);
    auto in = numbers(5 * 33, 1, 2);
    const std::vector<float> expected = quantised(precision, bound.edge, in);
    quantise(precision, bound.edge, in, in);
    EXPECT_EQ(in, expected) << precision.full_text();
  }
}

TEST_P(EachFormat, SurvivesEveryKindOfNumber) {
  std::vector<float> in = {0.0f, -0.0f, NAN, INFINITY, -INFINITY, 3.4e38f, -3.4e38f, 1e-45f, 1.0f};
  for (const Precision& precision : precisions()) {
    const test::BoundEdge bound(precision, data_edge({1, 9}), 1);
    const std::vector<float> out = quantised(precision, bound.edge, in);
    for (std::size_t i = 0; i < in.size(); ++i) {
      EXPECT_EQ(std::isnan(out[i]), std::isnan(in[i])) << precision.full_text() << " " << in[i];
      EXPECT_FALSE(std::isinf(out[i])) << precision.full_text() << " " << in[i];
    }
    encode(precision, bound.edge, in);
    out_of_range(precision, bound.edge, in);
    const test::BoundEdge nothing(precision, data_edge({0, 9}), 1);
    EXPECT_TRUE(quantised(precision, nothing.edge, {}).empty());
    EXPECT_EQ(bits(precision, nothing.edge) >= 0, true);
  }
}

// A sample is rounded as it would be alone, whatever stands beside it.
TEST_P(EachFormat, SamplesDoNotShareCodes) {
  for (const Precision& precision : precisions()) {
    const test::BoundEdge both(precision, data_edge({2, 24}), 1);
    auto in = numbers(48, 1, 3);
    for (std::size_t i = 24; i < 48; ++i) in[i] *= 1000.0f;
    const std::vector<float> together = quantised(precision, both.edge, in);
    Edge one = both.edge;
    one.shape[0] = 1;
    const std::vector<float> alone = quantised(precision, one, {in.begin(), in.begin() + 24});
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin())) << precision.full_text();
  }
}

// The way back: straight through, or as the difference quotient of the rounding's smooth stand-in
// says (format's own tests); here, that it stays within its spans and is linear in what comes in.
TEST_P(EachFormat, GradientsAreLinear) {
  if (!format().gradient) return;
  for (const Precision& precision : precisions()) {
    const test::BoundEdge bound(precision, data_edge({4, 9}), 1);
    const auto in = numbers(36, 1, 4);
    const auto run = [&](float factor) {
      std::vector<float> g = numbers(36, 1, 5);
      for (float& x : g) x *= factor;
      std::vector<std::vector<float>> state;
      std::vector<std::span<float>> spans;
      for (const auto& values : bound.edge.state) state.emplace_back(values.size(), 0.0f);
      for (auto& values : state) spans.emplace_back(values);
      format().gradient(precision, bound.edge, in, g, g, spans);
      for (const auto& values : state) g.insert(g.end(), values.begin(), values.end());
      return g;
    };
    const std::vector<float> once = run(1);
    const std::vector<float> twice = run(2);
    for (std::size_t i = 0; i < once.size(); ++i) EXPECT_EQ(2 * once[i], twice[i]);
  }
}

TEST_P(EachFormat, MistakesNameTheParameterAndWhatIsNear) {
  try {
    make_precision(format(), {{"widht", 8}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'width'?"), std::string::npos);
  }
  EXPECT_THROW(make_precision(format(), {{"width", 0}}), Error);
  EXPECT_THROW(make_precision(format(), {{"width", "8"}}), Error);
  EXPECT_THROW(make_precision(format(), {}), Error);
}

TEST_P(EachFormat, TextsAndAliases) {
  for (const Precision& precision : precisions()) {
    EXPECT_EQ(precision.text().rfind(format().name, 0), 0u);
    EXPECT_EQ(precision.list().size(), format().listed);
    EXPECT_NE(precision.full_text().find("width="), std::string::npos);
  }
  for (const std::string_view alias : format().aliases) {
    const Precision by_alias = make_precision(alias, test::some_precisions(format())[0].values);
    EXPECT_EQ(by_alias.type(), alias);
    EXPECT_EQ(by_alias, test::some_precisions(format())[0]);
  }
}

}  // namespace
}  // namespace mase::numerics
