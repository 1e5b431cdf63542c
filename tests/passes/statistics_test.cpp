// The statistics alone: against the original, by hand where the original fails.
#include "mase/passes/statistics/statistic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/passes/vectors.h"

namespace mase::passes::statistics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ir::Tensor tensor(ir::Shape shape, std::vector<float> values) {
  return ir::Tensor::from<float>(std::move(shape), values);
}

std::unique_ptr<Collector> make(const std::string& name, ir::Dict options = {}) {
  Diagnostics diagnostics;
  std::unique_ptr<Collector> collector = make_collector({name, std::move(options)}, diagnostics);
  diagnostics.throw_if_any();
  return collector;
}

ir::Value collect(const std::string& name, ir::Dict options,
                  const std::vector<ir::Tensor>& samples) {
  const auto collector = make(name, std::move(options));
  for (const ir::Tensor& sample : samples) collector->update(sample);
  return collector->result();
}

double number(const ir::Value& result, std::string_view key) {
  return result.find(key)->as_number();
}

// Two samples that the specification works through.
const std::vector<ir::Tensor> kWorked{tensor({2, 2}, {1, 2, 3, 5}),
                                      tensor({2, 2}, {-1, 0.5, 4, 8})};

void expect_range(const ir::Value& result, double min, double max, double range) {
  EXPECT_NEAR(number(result, "min"), min, 1e-6);
  EXPECT_NEAR(number(result, "max"), max, 1e-6);
  EXPECT_NEAR(number(result, "range"), range, 1.5e-6);
  EXPECT_EQ(result.find("count")->as_int(), 8);
}

TEST(Statistics, WorkedExample) {
  const ir::Value online = collect("variance_online", {}, kWorked);
  EXPECT_NEAR(number(online, "mean"), 2.8125, 1e-6);
  EXPECT_NEAR(number(online, "variance"), 9.4934893, 1e-6);
  EXPECT_EQ(online.find("count")->as_int(), 8);
  const ir::Value precise = collect("variance_precise", {}, kWorked);
  EXPECT_NEAR(number(precise, "variance"), 8.138392857142858, 1e-6);
  expect_range(collect("range_min_max", {}, kWorked), -1, 8, 9);
  expect_range(collect("range_quantile", {}, kWorked), -0.7375, 7.475, 8.2125);
  expect_range(collect("range_n_sigma", {{"var_mode", "precise"}}, kWorked), -5.745860573981778,
               11.370860573981778, 17.116721147963556);
  EXPECT_NEAR(number(collect("abs_mean", {}, kWorked), "abs_mean"), 3.0625, 1e-6);
}

// Compares nested results: numbers within 1e-6, everything else exactly.
void expect_same(const nlohmann::ordered_json& ours, const nlohmann::ordered_json& theirs,
                 const std::string& what) {
  if (theirs.is_object()) {
    ASSERT_TRUE(ours.is_object()) << what;
    ASSERT_EQ(ours.size(), theirs.size()) << what;
    auto a = ours.begin();
    for (auto b = theirs.begin(); b != theirs.end(); ++a, ++b) {
      EXPECT_EQ(a.key(), b.key()) << what;
      expect_same(a.value(), b.value(), what + "." + b.key());
    }
  } else if (theirs.is_array()) {
    ASSERT_TRUE(ours.is_array()) << what;
    ASSERT_EQ(ours.size(), theirs.size()) << what;
    for (std::size_t i = 0; i < theirs.size(); ++i) expect_same(ours[i], theirs[i], what);
  } else if (theirs.is_number()) {
    ASSERT_TRUE(ours.is_number()) << what;
    const double expected = theirs.get<double>();
    EXPECT_NEAR(ours.get<double>(), expected, 1e-6 * std::max(1.0, std::abs(expected))) << what;
  } else {
    EXPECT_EQ(ours, theirs) << what;
  }
}

TEST(Statistics, EqualTheOriginalsOnEveryCaseThatItCanDo) {
  MASE_NEEDS_SHARED_DATA(kVectors);
  const ir::Tensor samples = open_vector_arrays().read("stat.samples").or_throw();
  int compared = 0;
  const nlohmann::ordered_json vectors = read_vectors();
  for (const auto& c : vectors["statistics_direct"]) {
    if (!c.contains("result")) continue;
    const std::string name = c["statistic"];
    const std::string which = c["samples"];
    const std::int64_t last = which.find("[0..0]") != std::string::npos ? 0 : 4;
    const ir::Value options = ir::from_json(c["options"]);
    const auto collector = make(name, options.as_dict());
    for (std::int64_t i = 0; i <= last; ++i) {
      collector->update(samples.rows(i, 1).reshaped({2, 3, 4}));
    }
    expect_same(ir::to_json(collector->result()), c["result"][name], c["options"].dump() + which);
    ++compared;
  }
  EXPECT_GT(compared, 80);
}

TEST(Statistics, ReduceListedDimensionsWhereTheOriginalFails) {
  // Reducing dimension 1 of samples [2, 2]: two groups of two elements per sample.
  const ir::Value precise = collect("variance_precise", {{"dims", ir::List{1}}}, kWorked);
  EXPECT_EQ(ir::repr(*precise.find("mean")), "[0.625, 5.0]");
  EXPECT_NEAR(precise.find("variance")->as_list()[0].as_number(), 4.6875 / 3, 1e-6);
  EXPECT_EQ(precise.find("count")->as_int(), 4);
  const ir::Value range = collect("range_min_max", {{"dims", ir::List{0}}}, kWorked);
  EXPECT_EQ(ir::repr(*range.find("min")), "[-1.0, 0.5]");
  EXPECT_EQ(ir::repr(*range.find("max")), "[4.0, 8.0]");
  EXPECT_EQ(ir::repr(*range.find("range")), "[5.0, 7.5]");
  EXPECT_EQ(range.find("count")->as_int(), 4);
}

TEST(Statistics, NegativeDimensionsCountFromTheEnd) {
  for (const Statistic* statistic : statistics()) {
    if (statistic->name == "record") continue;
    const std::string name(statistic->name);
    EXPECT_EQ(collect(name, {{"dims", ir::List{-1}}}, kWorked),
              collect(name, {{"dims", ir::List{1}}}, kWorked))
        << name;
    EXPECT_EQ(collect(name, {{"dims", ir::List{-1, 0}}}, kWorked),
              collect(name, {{"dims", ir::List{0, 1}}}, kWorked))
        << name;
  }
}

TEST(Statistics, RangeNSigmaWorksOnlineAndElementByElement) {
  const ir::Value online = collect("range_n_sigma", {}, kWorked);
  const double spread = 3 * std::sqrt(9.4934893);
  expect_range(online, 2.8125 - spread, 2.8125 + spread, 2 * spread);
  const ir::Value each =
      collect("range_n_sigma", {{"dims", ir::None{}}, {"num_sigma", 1}}, kWorked);
  // Element [0, 0] takes the values 1 and -1: mean 0, population variance 1.
  EXPECT_EQ(ir::repr(each.find("min")->as_list()[0].as_list()[0]), "-1.0");
  EXPECT_EQ(ir::repr(each.find("max")->as_list()[0].as_list()[0]), "1.0");
}

TEST(Statistics, OneSampleIsTooFewForMost) {
  const std::vector<ir::Tensor> one{tensor({1}, {2})};
  const ir::Dict each{{"dims", ir::None{}}};
  EXPECT_EQ(ir::repr(collect("variance_online", each, one)), "{'mean': 'NA', 'variance': 'NA'}");
  EXPECT_EQ(ir::repr(collect("variance_precise", each, one)),
            "{'mean': 'NA', 'variance': 'NA', 'count': 1}");
  EXPECT_EQ(ir::repr(collect("variance_precise", {}, one)),
            "{'mean': 2.0, 'variance': nan, 'count': 1}");
  EXPECT_EQ(ir::repr(collect("range_min_max", {}, one)),
            "{'min': 2.0, 'max': 2.0, 'range': 'NA', 'count': 1}");
  EXPECT_EQ(ir::repr(collect("range_quantile", {}, one)),
            "{'min': 2.0, 'max': 2.0, 'range': 0.0, 'count': 1}");
  EXPECT_EQ(ir::repr(collect("abs_mean", {}, one)), "{'abs_mean': 'NA'}");
}

TEST(Statistics, SamplesOfOneElementHaveAVarianceOnline) {
  const ir::Value result =
      collect("variance_online", {}, {tensor({1}, {1}), tensor({1}, {3}), tensor({1}, {5})});
  EXPECT_NEAR(number(result, "mean"), 3, 1e-6);
  EXPECT_NEAR(number(result, "variance"), 8.0 / 3, 1e-6);
}

TEST(Statistics, AbsTakesAbsoluteValuesFirst) {
  const ir::Value result = collect("range_min_max", {{"abs", true}}, kWorked);
  EXPECT_EQ(number(result, "min"), 0.5);
}

TEST(Statistics, RecordKeepsWhatCame) {
  const ir::Value result = collect("record", {}, kWorked);
  EXPECT_EQ(ir::repr(result),
            "{'data': [[1.0, 2.0], [3.0, 5.0], [-1.0, 0.5], [4.0, 8.0]], 'count': 2, "
            "'size_in_bytes': 32}");
  const ir::Value stacked = collect("record", {{"add_new_dim_before_concat", true}}, kWorked);
  EXPECT_EQ(ir::repr(*stacked.find("data")),
            "[[[1.0, 2.0], [3.0, 5.0]], [[-1.0, 0.5], [4.0, 8.0]]]");
}

TEST(Statistics, MistakesAreExplained) {
  const auto message = [](const std::string& name, ir::Dict options) -> std::string {
    try {
      collect(name, std::move(options), kWorked);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(
      message("variance_onlin", {}),
      HasSubstr("there is no statistic 'variance_onlin' (did you mean 'variance_online'?)"));
  EXPECT_THAT(message("range_quantile", {{"quantil", 0.9}}), HasSubstr("no option 'quantil'"));
  EXPECT_THAT(message("range_quantile", {{"quantile", 1.5}}), HasSubstr("from 0 to 1"));
  EXPECT_THAT(message("abs_mean", {{"dims", "some"}}), HasSubstr("'dims' must be"));
  EXPECT_THAT(message("abs_mean", {{"dims", ir::List{2}}}),
              HasSubstr("dims has dimension 2, but a sample [2, 2] has 2 dimensions"));
  EXPECT_THAT(message("abs_mean", {{"device", "cuda"}}), HasSubstr("one of cpu"));
}

TEST(Statistics, SamplesMustFitTogetherUnlessEverythingIsReduced) {
  const std::vector<ir::Tensor> uneven{tensor({2}, {1, 2}), tensor({3}, {1, 2, 3})};
  EXPECT_THROW(collect("variance_online", {{"dims", ir::None{}}}, uneven), Error);
  EXPECT_EQ(collect("variance_online", {}, uneven).find("count")->as_int(), 5);
}

TEST(Statistics, TheTableIsSortedAndComplete) {
  std::vector<std::string_view> names;
  for (const Statistic* statistic : statistics()) {
    names.push_back(statistic->name);
    EXPECT_FALSE(statistic->summary.empty());
    EXPECT_EQ(find_statistic(statistic->name), statistic);
  }
  EXPECT_THAT(names, ElementsAre("abs_mean", "range_min_max", "range_n_sigma", "range_quantile",
                                 "record", "variance_online", "variance_precise"));
}

}  // namespace
}  // namespace mase::passes::statistics
