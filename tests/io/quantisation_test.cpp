// Number formats as dictionaries: there and back for every form, and nothing foreign is believed.
#include "mase/io/graph/quantisation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "mase/io/graph/load.h"
#include "mase/io/torch/checkpoint.h"

namespace mase::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ir::Graph network() {
  return engine::test::sequence({"BatchNorm1d(4)", "ReLU()", "Linear(4, 3)", "Linear(3, 2)"});
}

ir::Graph quantised() {
  ir::Graph graph = engine::test::quantised(network(), "linear", 8, 4);
  ir::Node& first = graph.node("seq_blocks_2");
  first.precision[0].second.values["rounding"] = "toward_zero";
  first.precision[0].second.values["overflow"] = "wrap";
  first.precision[1].second = numerics::integer(6, std::nullopt);
  return graph;
}

TEST(Quantisation, OfAFloatNetworkIsEmpty) {
  EXPECT_THAT(quantisation_of(network()), IsEmpty());
  EXPECT_EQ(with_quantisation(network(), {}).or_throw(), network());
}

TEST(Quantisation, ComesBackAsItWas) {
  const ir::Dict dict = quantisation_of(quantised());
  EXPECT_EQ(dict.size(), 2u);
  EXPECT_EQ(with_quantisation(network(), dict).or_throw(), quantised());
}

TEST(Quantisation, GoesThroughACheckpoint) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "quantisation.ckpt";
  write_lightning_checkpoint(path, {.state = quantised().state(),
                                    .mase = {{"quantisation", quantisation_of(quantised())}}});
  const Checkpoint read = read_checkpoint(path).or_throw();
  const ir::Value* section = ir::find(read.mase, "quantisation");
  ASSERT_TRUE(section && section->is<ir::Dict>());
  EXPECT_EQ(with_quantisation(network(), section->as_dict()).or_throw(), quantised());
  std::filesystem::remove(path);
}

TEST(Quantisation, NamesWhatDiffers) {
  const ir::Dict one = quantisation_of(quantised());
  EXPECT_THAT(quantisation_differences(one, one), IsEmpty());
  ir::Graph other = quantised();
  other.node("seq_blocks_3").precision[1].second = numerics::integer(4, 2);
  EXPECT_THAT(quantisation_differences(one, quantisation_of(other)),
              ElementsAre("node seq_blocks_3: weight is integer(4, 2) there, integer(8, 4) here"));
  EXPECT_THAT(quantisation_differences({}, one), testing::SizeIs(6));
}

// Replaces what stands at a path of keys.
ir::Dict changed(const std::vector<std::string>& keys, ir::Value value) {
  ir::Value dict = quantisation_of(quantised());
  ir::Value* at = &dict;
  for (const std::string& key : keys) at = &(*at)[key];
  *at = std::move(value);
  return dict.as_dict();
}

std::string refused(const ir::Dict& dict) {
  const Result<ir::Graph> read = with_quantisation(network(), dict);
  return read.ok() ? "taken" : read.error().where.text() + ": " + read.error().message;
}

TEST(Quantisation, RefusesWhatDoesNotFit) {
  const std::string node = "seq_blocks_2";
  EXPECT_THAT(refused({{"seq_blocks_9", ir::Dict{}}}), HasSubstr("no such node; did you mean"));
  EXPECT_THAT(refused({{node, 3}}), HasSubstr("node seq_blocks_2: a quantised node needs op"));
  EXPECT_THAT(refused(changed({node, "op"}, "relu")), HasSubstr("it is 'linear' in this network"));
  EXPECT_THAT(refused(changed({node, "precision", "nothing"}, ir::Dict{})),
              HasSubstr("the argument 'nothing' of linear cannot be quantised"));
  const std::vector<std::string> weight = {node, "precision", "weight"};
  const auto with = [&](std::string key, ir::Value value) {
    std::vector<std::string> keys = weight;
    keys.push_back(std::move(key));
    return refused(changed(keys, std::move(value)));
  };
  EXPECT_THAT(refused(changed(weight, ir::None{})), HasSubstr("needs format and values"));
  EXPECT_THAT(with("format", "posit"),
              HasSubstr("weight: this build has no number format 'posit'"));
  EXPECT_THAT(with("rounding", "sideways"), HasSubstr("rounding must be one of nearest_even"));
  EXPECT_THAT(with("values", ir::Dict{{"width", "8"}}), HasSubstr("width must be a whole number"));
  EXPECT_THAT(with("values", ir::Dict{{"width", 800}}), HasSubstr("from 1 to 32, not 800"));
  EXPECT_THAT(with("values", ir::Dict{{"girth", 8}}), HasSubstr("has no parameter 'girth'"));
  EXPECT_THAT(with("values", ir::Dict{}), HasSubstr("needs the parameter"));
  const Result<ir::Graph> twice = with_quantisation(quantised(), quantisation_of(quantised()));
  EXPECT_FALSE(twice.ok());
}

class QuantisedLoad : public testing::Test {
 protected:
  ~QuantisedLoad() override { std::filesystem::remove(path_); }

  void write(const ir::Dict& mase) {
    write_lightning_checkpoint(path_, {.state = quantised().state(), .mase = mase});
  }
  Error error_of(ir::Graph graph) {
    const ir::Graph before = graph;
    try {
      load_parameters(path_, graph);
    } catch (const Error& error) {
      EXPECT_EQ(graph, before);
      return error;
    }
    ADD_FAILURE() << "the checkpoint was taken";
    return {ErrorKind::Internal, ""};
  }

  const std::filesystem::path path_ = std::filesystem::path(testing::TempDir()) / "quantised.ckpt";
};

TEST_F(QuantisedLoad, MakesAFloatNetworkAQuantisedOne) {
  write({{"quantisation", quantisation_of(quantised())}});
  ir::Graph graph = network();
  EXPECT_EQ(load_parameters(path_, graph).quantisation, quantisation_of(quantised()));
  EXPECT_EQ(graph, quantised());
  ir::Graph same = quantised();
  EXPECT_THAT(load_parameters(path_, same).quantisation, IsEmpty());
  EXPECT_EQ(same, quantised());
  ir::Graph weights = network();
  EXPECT_THAT(load_parameters(path_, weights, false, Formats::LeaveOut).quantisation, IsEmpty());
  EXPECT_EQ(weights, network());
}

TEST_F(QuantisedLoad, LeavesANetworkAloneWhoseCheckpointIsFloat) {
  for (const ir::Dict& mase : {ir::Dict{}, ir::Dict{{"quantisation", ir::Dict{}}}}) {
    write(mase);
    ir::Graph graph = quantised();
    EXPECT_THAT(load_parameters(path_, graph).quantisation, IsEmpty());
    EXPECT_EQ(graph, quantised());
  }
}

TEST_F(QuantisedLoad, RefusesOtherFormatsAndDamagedOnes) {
  write({{"quantisation", quantisation_of(quantised())}});
  const Error other = error_of(engine::test::quantised(network(), "linear", 4, 2));
  EXPECT_EQ(other.kind(), ErrorKind::Usage);
  EXPECT_THAT(other.message(), HasSubstr("quantised otherwise\nnode seq_blocks_2: data_in_0 is "));
  write({{"quantisation", "linear"}});
  EXPECT_EQ(error_of(network()).kind(), ErrorKind::Unreadable);
  write({{"quantisation", ir::Dict{{"fc1", ir::Dict{}}}}});
  EXPECT_THAT(error_of(network()).what(), HasSubstr("node fc1"));
}

TEST(Quantisation, IsToldInFewWords) {
  EXPECT_EQ(quantised_nodes_text(quantisation_of(quantised())),
            "2 nodes (seq_blocks_2, seq_blocks_3)");
}

}  // namespace
}  // namespace mase::io
