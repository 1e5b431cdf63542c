// profile_statistics, against what the original collects.
#include "mase/passes/analysis/profile_statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "mase/passes/analysis/add_common_metadata.h"
#include "tests/passes/networks.h"
#include "tests/passes/vectors.h"

namespace mase::passes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Batches of consecutive rows of a table.
BatchSource batches_of(const ir::Tensor& table, std::int64_t batch_size) {
  return [table, batch_size,
          next = std::int64_t{0}]() mutable -> std::optional<ir::Named<ir::Tensor>> {
    const std::int64_t rows = std::min(batch_size, table.dim(0) - next);
    if (rows <= 0) return std::nullopt;
    ir::Named<ir::Tensor> batch{{"x", table.rows(next, rows)}};
    next += rows;
    return batch;
  };
}

ir::Tensor random_rows(std::int64_t rows, std::int64_t features) {
  ir::Tensor out({rows, features}, ir::DType::Float32);
  Random random(5);
  for (float& value : out.values_mut<float>()) value = random.uniform(-2, 2);
  return out;
}

ir::Graph with_metadata(ir::Graph graph) {
  return add_metadata(std::move(graph), {{"x", random_rows(8, 16)}}, {.add_value = false});
}

// The setting of the users' tutorial.
ProfileStatisticsOptions tutorial() {
  return {.by = By::Type,
          .target_weight_nodes = {"linear"},
          .target_activation_nodes = {"relu"},
          .weight_statistics = {{"variance_precise", {{"device", "cpu"}, {"dims", "all"}}}},
          .activation_statistics = {{"range_quantile", {{"quantile", 0.97}}}},
          .num_samples = 32};
}

std::string message_of(const ir::Graph& graph, const ProfileStatisticsOptions& options,
                       std::int64_t rows = 64) {
  try {
    profile_statistics(graph, options, batches_of(random_rows(rows, 16), 8));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// "node.argument" -> statistics, of the arguments that have any.
nlohmann::ordered_json collected(const ir::Graph& graph) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const ir::Node& node : graph) {
    for (const auto& [name, entry] : node.meta.software->args) {
      if (!entry.stat.as_dict().empty()) out[node.name + "." + name] = ir::to_json(entry.stat);
    }
  }
  return out;
}

void expect_close(const nlohmann::ordered_json& ours, const nlohmann::ordered_json& theirs,
                  const std::string& what) {
  ASSERT_EQ(ours.type() == nlohmann::json::value_t::object, theirs.is_object()) << what;
  if (theirs.is_object()) {
    for (const auto& [key, value] : theirs.items()) {
      ASSERT_TRUE(ours.contains(key)) << what << " " << key;
      expect_close(ours[key], value, what + " " + key);
    }
    EXPECT_EQ(ours.size(), theirs.size()) << what;
  } else if (theirs.is_string()) {
    EXPECT_EQ(ours, theirs) << what;
  } else {
    std::vector<double> a;
    std::vector<double> b;
    flatten(ours, a);
    flatten(theirs, b);
    ASSERT_EQ(a.size(), b.size()) << what;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (std::isnan(a[i]) && std::isnan(b[i])) continue;
      EXPECT_NEAR(a[i], b[i], 2e-6 * std::max(1.0, std::abs(b[i]))) << what;
    }
  }
}

std::vector<statistics::Request> requests_of(const nlohmann::ordered_json& json) {
  std::vector<statistics::Request> out;
  for (const auto& [name, options] : json.items()) {
    out.push_back({name, ir::from_json(options).as_dict()});
  }
  return out;
}

TEST(ProfileStatistics, EqualsTheOriginalOnEveryCaseThatItCanDo) {
  MASE_NEEDS_SHARED_DATA(kVectors);
  const io::NpzReader arrays = open_vector_arrays();
  const ir::Tensor x = arrays.read("profile.x").or_throw();
  ir::Graph graph = jsc_tiny();
  load_state(graph, arrays, "profile.state.");
  graph = with_metadata(std::move(graph));
  int compared = 0;
  const nlohmann::ordered_json vectors = read_vectors();
  for (const auto& c : vectors["profile_statistics"]["cases"]) {
    if (!c.contains("results")) continue;
    const std::string what = c["case"];
    ProfileStatisticsOptions options{
        .by = parse_by(c["by"].get<std::string>()),
        .target_weight_nodes = c["target_weight_nodes"],
        .target_activation_nodes = c["target_activation_nodes"],
        .weight_statistics = requests_of(c["weight_statistics"]),
        .activation_statistics = requests_of(c["activation_statistics"]),
        .num_samples = c["num_samples"],
        .optional = true,
        .mode = c["training_mode"].get<bool>() ? engine::Mode::Train : engine::Mode::Eval};
    const ir::Graph profiled =
        profile_statistics(graph, options, batches_of(x, c["batch_size"].get<std::int64_t>()));
    EXPECT_EQ(profiled.state(), graph.state()) << what;
    expect_close(collected(profiled), c["results"], what);
    ++compared;
  }
  EXPECT_GT(compared, 25);
}

// Counts and places that a user's report shows for the network of 3,363 parameters.
TEST(ProfileStatistics, CountsAreThoseOfAUsersReport) {
  const ir::Graph graph =
      profile_statistics(with_metadata(jsc_10x()), tutorial(), batches_of(random_rows(64, 16), 8));
  std::vector<std::string> rows;
  const nlohmann::ordered_json found = collected(graph);
  for (const auto& [where, stats] : found.items()) {
    for (const auto& [name, result] : stats.items()) {
      rows.push_back(where + " " + name + " " + result["count"].dump());
    }
  }
  EXPECT_THAT(
      rows,
      ElementsAre(
          "seq_blocks_1.data_in_0 range_quantile 512", "seq_blocks_2.weight variance_precise 960",
          "seq_blocks_2.bias variance_precise 60", "seq_blocks_4.data_in_0 range_quantile 1920",
          "seq_blocks_5.weight variance_precise 1920", "seq_blocks_5.bias variance_precise 32",
          "seq_blocks_7.data_in_0 range_quantile 1024", "seq_blocks_8.weight variance_precise 160",
          "seq_blocks_8.bias variance_precise 5", "seq_blocks_10.data_in_0 range_quantile 160"));
}

TEST(ProfileStatistics, RoundsUpToWholeBatches) {
  ProfileStatisticsOptions options = tutorial();
  options.num_samples = 33;
  const ir::Graph graph =
      profile_statistics(with_metadata(jsc_tiny()), options, batches_of(random_rows(64, 16), 8));
  EXPECT_EQ(collected(graph)["seq_blocks_1.data_in_0"]["range_quantile"]["count"], 40 * 16);
}

TEST(ProfileStatistics, ALayerInBothListsHasBothKinds) {
  ProfileStatisticsOptions options = tutorial();
  options.target_activation_nodes = {"linear"};
  const auto found = collected(
      profile_statistics(with_metadata(jsc_tiny()), options, batches_of(random_rows(64, 16), 8)));
  EXPECT_TRUE(found.contains("seq_blocks_2.data_in_0"));
  EXPECT_TRUE(found.contains("seq_blocks_2.weight"));
}

// The original ends silently here.
TEST(ProfileStatistics, ActivationsOfALayerWithParametersNeedNoWeightStatistics) {
  ProfileStatisticsOptions options = tutorial();
  options.target_weight_nodes = {};
  options.target_activation_nodes = {"batch_norm1d"};
  const auto found = collected(
      profile_statistics(with_metadata(jsc_tiny()), options, batches_of(random_rows(64, 16), 8)));
  EXPECT_EQ(found.size(), 1u);
  EXPECT_TRUE(found.contains("seq_blocks_0.data_in_0"));
}

TEST(ProfileStatistics, RunningStatisticsAreParametersToo) {
  ProfileStatisticsOptions options = tutorial();
  options.target_weight_nodes = {"batch_norm1d"};
  const auto found = collected(
      profile_statistics(with_metadata(jsc_tiny()), options, batches_of(random_rows(64, 16), 8)));
  EXPECT_TRUE(found.contains("seq_blocks_0.running_var"));
}

TEST(ProfileStatistics, BothOperandsOfAnAdditionAreTold) {
  ir::Graph graph = NetworkBuilder("sum")
                        .layer("a", "Linear(16, 16)")
                        .function("operator.add", {ir::NodeRef{"x"}, ir::NodeRef{"a"}})
                        .done();
  const auto found = collected(profile_statistics(with_metadata(graph),
                                                  {.by = By::Type,
                                                   .target_activation_nodes = {"add"},
                                                   .activation_statistics = {{"abs_mean"}},
                                                   .num_samples = 8},
                                                  batches_of(random_rows(8, 16), 8)));
  EXPECT_EQ(found["add.data_in_0"]["abs_mean"]["count"], 128);
  EXPECT_NE(found["add.data_in_0"]["abs_mean"], found["add.data_in_1"]["abs_mean"]);
}

TEST(ProfileStatistics, TooFewBatchesAreExplained) {
  EXPECT_THAT(message_of(with_metadata(jsc_tiny()), tutorial(), 20),
              HasSubstr("the data ends after 20 rows, num_samples asks for 32"));
}

TEST(ProfileStatistics, TargetsThatSelectNothingAreMistakes) {
  ProfileStatisticsOptions options = tutorial();
  options.target_weight_nodes = {"linaer", "relu"};
  options.target_activation_nodes = {"placeholder"};
  const std::string message = message_of(with_metadata(jsc_tiny()), options);
  EXPECT_THAT(message, HasSubstr("no node has the op 'linaer'; did you mean 'linear'?"));
  EXPECT_THAT(message, HasSubstr("'relu' selects no node: seq_blocks_1 has no parameters"));
  EXPECT_THAT(message, HasSubstr("'placeholder' selects no node: x reads no tensor"));
  options.optional = true;
  EXPECT_EQ(message_of(with_metadata(jsc_tiny()), options), "");
}

TEST(ProfileStatistics, ADimensionThatASampleDoesNotHaveIsExplainedAtItsNode) {
  ProfileStatisticsOptions options = tutorial();
  options.weight_statistics = {{"variance_precise", {{"dims", ir::List{1}}}}};
  EXPECT_THAT(message_of(with_metadata(jsc_tiny()), options),
              HasSubstr("node seq_blocks_2: variance_precise of bias: dims has dimension 1, "
                        "but a sample [5] has 1 dimension"));
}

ir::Dict table() {
  return {{"by", "name"},
          {"target_weight_nodes", ir::List{"seq_blocks_2"}},
          {"target_activation_nodes", ir::List{"seq_blocks_1"}},
          {"num_samples", 16},
          {"weight_statistics", ir::Dict{{"variance_precise", ir::Dict{{"dims", "all"}}}}},
          {"activation_statistics", ir::Dict{{"range_min_max", ir::Dict{}}}}};
}

TEST(ProfileStatistics, FromATable) {
  std::vector<std::string> lines;
  std::set<std::string> progress;
  Context context{.info = [&](std::string_view line) { lines.emplace_back(line); },
                  .progress =
                      [&](std::string_view what, std::size_t done, std::size_t total) {
                        if (done == total) progress.emplace(what);
                      },
                  .batches = [] { return batches_of(random_rows(64, 16), 8); }};
  Diagnostics diagnostics;
  const Options options = check_options(kProfileStatistics, table(), {}, diagnostics);
  diagnostics.throw_if_any();
  const PassResult result =
      run_pass(kProfileStatistics, with_metadata(jsc_tiny()), options, context);
  EXPECT_EQ(result.info.find("seq_blocks_1")
                ->find("data_in_0")
                ->find("range_min_max")
                ->find("count")
                ->as_int(),
            256);
  EXPECT_THAT(lines,
              ElementsAre("profile_statistics: 'seq_blocks_2' selects 1 node: seq_blocks_2",
                          "profile_statistics: 'seq_blocks_1' selects 1 node: seq_blocks_1"));
  EXPECT_THAT(progress, ElementsAre("Profiling act statistics", "Profiling weight statistics"));
}

TEST(ProfileStatistics, ProblemsOfATablePointAtTheirKeys) {
  ir::Dict given = table();
  *ir::find(given, "activation_statistics") =
      ir::Dict{{"range_min_max", ir::Dict{{"absolute", true}}}, {"range_minmax", ir::Dict{}}};
  const ir::Named<Location> places{
      {"activation_statistics.range_min_max.absolute", {.file = "p.toml", .line = 9, .column = 3}},
      {"activation_statistics.range_minmax", {.file = "p.toml", .line = 10}}};
  given.emplace_back("trainign", true);
  Diagnostics diagnostics;
  check_options(kProfileStatistics, given, {}, diagnostics, places);
  ASSERT_EQ(diagnostics.problems().size(), 3u);
  EXPECT_THAT(diagnostics.problems()[0].text(),
              HasSubstr("has no option 'trainign'; did you mean 'training'?"));
  EXPECT_THAT(diagnostics.problems()[1].text(),
              HasSubstr("p.toml:9:3: range_min_max has no option 'absolute'"));
  EXPECT_THAT(diagnostics.problems()[2].text(),
              HasSubstr("p.toml:10: there is no statistic 'range_minmax'; did you mean "
                        "'range_min_max'?"));
}

}  // namespace
}  // namespace mase::passes
