// Listings, types, shapes and parameters of every network of the zoo that the original can trace.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "mase/models/model.h"
#include "mase/passes/analysis/add_common_metadata.h"
#include "mase/passes/analysis/report_graph.h"
#include "mase/passes/analysis/verify_metadata.h"
#include "tests/models/infos.h"
#include "tests/passes/networks.h"
#include "tests/passes/vectors.h"

namespace mase::passes {
namespace {

struct Case {
  const char* file;  // <model>__<data>
  const char* model;
  data::Info info;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.file;
}

class NodeLists : public testing::TestWithParam<Case> {};

// As the vectors write arguments: names of nodes without a mark.
std::string plain(const ir::Value& value) {
  std::string text = ir::repr(value);
  std::erase(text, '%');
  return text;
}

// {"data_in_0": [2, 16], "shape_0": 2, ...}
nlohmann::json inputs_of(const ir::Node& node) {
  nlohmann::json out = nlohmann::json::object();
  for (const auto& [name, entry] : node.meta.common->args) {
    const bool constant = entry.kind == ir::ArgumentMeta::Kind::Constant;
    out[name] =
        constant ? nlohmann::json(ir::to_json(entry.constant)) : nlohmann::json(entry.shape);
  }
  return out;
}

TEST_P(NodeLists, EqualTheOriginals) {
  const std::string base = std::string("mase_runs/vectors/graphs/") + GetParam().file;
  MASE_NEEDS_SHARED_DATA(base + ".json");
  const auto vectors = nlohmann::ordered_json::parse(read_text(shared_data() / (base + ".json")));
  ir::Graph graph = models::build(GetParam().model, GetParam().info);
  EXPECT_EQ(report_graph(graph), read_text(shared_data() / (base + ".report_graph.txt")));

  ir::Shape shape{2};
  shape.insert(shape.end(), GetParam().info.sample_shape.begin(),
               GetParam().info.sample_shape.end());
  graph = add_metadata(std::move(graph), {{"x", ir::Tensor(shape, ir::DType::Float32)}},
                       {.add_value = false});
  EXPECT_TRUE(verify_common_metadata(graph).empty());
  const bool recorded_by_original = vectors["shapes_from"] == "mase";
  ASSERT_EQ(graph.nodes().size(), vectors["nodes"].size());
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const ir::Node& node = graph.nodes()[i];
    const auto& expected = vectors["nodes"][i];
    EXPECT_EQ(node.name, expected["name"].get<std::string>());
    EXPECT_EQ(ir::name(node.kind), expected["op"].get<std::string>()) << node.name;
    EXPECT_EQ(node.target, expected["target"].get<std::string>()) << node.name;
    EXPECT_EQ(plain(ir::Tuple{node.args}), expected["args"].get<std::string>()) << node.name;
    if (!expected["mase_op"].is_null()) {
      EXPECT_EQ(ir::mase_type(node), expected["mase_type"].get<std::string>()) << node.name;
      EXPECT_EQ(ir::mase_op(node), expected["mase_op"].get<std::string>()) << node.name;
    }
    const ir::ArgumentMeta& result = node.meta.common->results[0].second;
    if (expected["out"].is_array()) {
      EXPECT_EQ(nlohmann::json(result.shape), nlohmann::json(expected["out"])) << node.name;
    }
    if (recorded_by_original) {
      EXPECT_EQ(inputs_of(node), nlohmann::json(expected["in"])) << node.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, NodeLists,
                         testing::Values(Case{"jsc-tiny__jsc", "jsc-tiny", jsc_info()},
                                         Case{"jsc-toy__jsc", "jsc-toy", jsc_info()},
                                         Case{"jsc-s__jsc", "jsc-s", jsc_info()},
                                         Case{"toy__toy_tiny", "toy", toy_tiny_info()},
                                         Case{"toy__cifar10", "toy", cifar10_info()},
                                         Case{"toy_tiny__toy_tiny", "toy_tiny", toy_tiny_info()},
                                         Case{"lfc__mnist", "lfc", mnist_info()}),
                         [](const auto& info) {
                           std::string name = info.param.file;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// The listing of the network of 3,363 parameters in a user's report.
TEST(NodeLists, TheStudentsNetwork) {
  std::string expected = "graph():\n    %x : [num_users=1] = placeholder[target=x]\n";
  std::string input = "x";
  for (int i = 0; i <= 10; ++i) {
    expected += fmt::format(
        "    %seq_blocks_{0} : [num_users=1] = call_module[target=seq_blocks.{0}](args = (%{1},), "
        "kwargs = {{}})\n",
        i, input);
    input = fmt::format("seq_blocks_{}", i);
  }
  const auto norm = [](int n) {
    return fmt::format(
        "BatchNorm1d({}, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True), "
        "ReLU(inplace=True)",
        n);
  };
  const auto linear = [](int in, int out) {
    return fmt::format("Linear(in_features={}, out_features={}, bias=True)", in, out);
  };
  expected +=
      "    return seq_blocks_10\nNetwork overview:\n"
      "{'placeholder': 1, 'get_attr': 0, 'call_function': 0, 'call_method': 0, "
      "'call_module': 11, 'output': 1}\nLayer types:\n";
  expected += fmt::format("[{}, {}, {}, {}, {}, {}, {}]\n", norm(16), linear(16, 60), norm(60),
                          linear(60, 32), norm(32), linear(32, 5), norm(5));
  EXPECT_EQ(report_graph(jsc_10x()), expected);
}

}  // namespace
}  // namespace mase::passes
