// The text form of graphs: what it looks like, that it reads back, and that bad text is refused.
#include "mase/ir/graph_text.h"
#include "mase/support/printable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace mase::ir {
namespace {

Graph example() {
  Graph graph("jsc-mini", "JSC_Mini");
  graph.add({.name = "x",
             .kind = NodeKind::Placeholder,
             .op = "placeholder",
             .target = "x",
             .type = TensorType{{2}, DType::Float32}});
  Node linear{.kind = NodeKind::CallModule,
              .op = "linear",
              .target = "seq_blocks.0",
              .args = {NodeRef{"x"}},
              .attributes = {{"in_features", 2}, {"out_features", 1}, {"bias", true}}};
  linear.precision = {{"data_in_0", numerics::integer(8, 4)}, {"bias", {}}};
  linear.precision[0].second.values["rounding"] = "down";
  linear.bypass = true;
  graph.add(linear);
  graph.add({.name = "add",
             .kind = NodeKind::CallFunction,
             .op = "add",
             .target = "operator.add",
             .args = {NodeRef{"seq_blocks_0"}, 2.5},
             .kwargs = {{"alpha", 1}}});
  graph.add({.name = "output",
             .kind = NodeKind::Output,
             .op = "output",
             .target = "output",
             .args = {NodeRef{"add"}}});
  graph.add_parameter({.name = "seq_blocks.0.weight", .value = Tensor({1, 2}, DType::Float32)});
  graph.add_parameter({.name = "steps", .value = Tensor({}, DType::Int64), .is_buffer = true});
  return graph;
}

TEST(GraphText, IsReadable) {
  EXPECT_EQ(to_text(example()),
            "mase graph 2\n"
            "graph 'jsc-mini' class 'JSC_Mini'\n"
            "parameter 'seq_blocks.0.weight' float32 [1, 2]\n"
            "buffer 'steps' int64 []\n"
            "node 'x' placeholder 'placeholder' 'x'\n"
            "  type float32 [2]\n"
            "node 'seq_blocks_0' call_module 'linear' 'seq_blocks.0'\n"
            "  args (%x,)\n"
            "  attributes {'in_features': 2, 'out_features': 1, 'bias': True}\n"
            "  precision 'data_in_0' 'integer' {'frac_width': 4, 'is_signed': True, 'overflow': "
            "'saturate', 'rounding': 'down', 'width': 8}\n"
            "  precision 'bias' 'float'\n"
            "  bypass\n"
            "node 'add' call_function 'add' 'operator.add'\n"
            "  args (%seq_blocks_0, 2.5)\n"
            "  kwargs {'alpha': 1}\n"
            "node 'output' output 'output' 'output'\n"
            "  args (%add,)\n");
}

TEST(GraphText, ReadsBackEqual) {
  const Graph graph = example();
  GraphText text = parse_graph(to_text(graph)).or_throw();
  EXPECT_TRUE(with_parameters(std::move(text), graph.state()).or_throw() == graph);
}

TEST(GraphText, LineEndsAndBlanksDoNotMatter) {
  std::string text = to_text(example());
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 4) {
    text.replace(at, 1, "  \r\n");
  }
  GraphText read = parse_graph(text + "\n\n").or_throw();
  EXPECT_TRUE(with_parameters(std::move(read), example().state()).or_throw() == example());
}

TEST(GraphText, ParametersMustBeThoseOfTheText) {
  const auto message = [](const State& state) {
    auto result = with_parameters(parse_graph(to_text(example())).or_throw(), state);
    return result.ok() ? "" : result.error().message;
  };
  State state = example().state();
  EXPECT_EQ(message(state), "");
  State missing = state;
  missing.pop_back();
  EXPECT_EQ(message(missing), "the parameter 'steps' is missing");
  State wrong = state;
  wrong[0].second = Tensor({2, 1}, DType::Float32);
  EXPECT_EQ(
      message(wrong),
      "the parameter 'seq_blocks.0.weight' is float32 [2, 1], but the graph says float32 [1, 2]");
  State more = state;
  more.emplace_back("more", Tensor({1}, DType::Float32));
  EXPECT_EQ(message(more), "'more' is no parameter of the graph");
}

// --- random values and graphs ---

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }

  std::string text() {
    std::string out;
    const std::size_t length = below(12);
    for (std::size_t i = 0; i < length; ++i) {
      out += below(3) == 0 ? static_cast<char>(below(256)) : static_cast<char>('a' + below(26));
    }
    return out;
  }

  // What a node may be called: no control characters, whole UTF-8.
  std::string name() {
    std::string out = printable(text());
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
    return out;
  }

  double number() {
    switch (below(6)) {
      case 0:
        return 0.1 * static_cast<double>(below(1000));
      case 1:
        return -0.0;
      case 2:
        return std::numeric_limits<double>::infinity();
      case 3:
        return -std::numeric_limits<double>::denorm_min();
      case 4:
        return std::ldexp(static_cast<double>(random_()), static_cast<int>(below(1800)) - 900);
      default:
        return static_cast<double>(below(100));
    }
  }

  Value value(int depth = 3) {
    switch (below(depth > 0 ? 12 : 9)) {
      case 0:
        return None{};
      case 1:
        return below(2) == 1;
      case 2:
        return static_cast<std::int64_t>((std::uint64_t{random_()} << 32) | random_());
      case 3:
        return number();
      case 4:
        return text();
      case 5:
        return NodeRef{below(2) == 0 ? "node_" + std::to_string(below(9)) : name() + "'"};
      case 6:
        return TypeName{text()};
      case 7:
        return static_cast<DType>(below(10));
      case 8:
        return tensor();
      case 9:
        return Tuple{items(depth)};
      case 10:
        return items(depth);
      default:
        return dict(depth);
    }
  }

  Dict dict(int depth = 2) {
    Dict out;
    const std::size_t size = below(4);
    for (std::size_t i = 0; i < size; ++i) out.emplace_back(text(), value(depth - 1));
    return out;
  }

  std::vector<Value> items(int depth) {
    std::vector<Value> out;
    const std::size_t size = below(4);
    for (std::size_t i = 0; i < size; ++i) out.push_back(value(depth - 1));
    return out;
  }

  Tensor tensor() {
    if (below(5) == 0) return {};
    Shape shape;
    const std::size_t rank = below(3);
    for (std::size_t i = 0; i < rank; ++i) shape.push_back(static_cast<std::int64_t>(below(4)));
    Tensor out(shape, static_cast<DType>(below(10)));
    for (std::size_t i = 0; i < out.bytes(); ++i) {
      out.data_mut()[i] =
          static_cast<std::byte>(out.dtype() == DType::Bool ? below(2) : below(256));
    }
    return out;
  }

  Graph graph() {
    Graph out(text(), text());
    const std::size_t count = below(6);
    for (std::size_t i = 0; i < count; ++i) {
      Node node{
          .name = name(), .kind = static_cast<NodeKind>(below(6)), .op = name(), .target = name()};
      node.args = items(2);
      node.kwargs = dict();
      node.attributes = dict();
      node.bypass = below(2) == 0;
      if (below(2) == 0) {
        auto precision =
            numerics::integer(static_cast<int>(1 + below(32)), static_cast<int>(below(9)));
        precision.values["rounding"] = numerics::name(static_cast<numerics::Rounding>(below(5)));
        precision.values["overflow"] = numerics::name(static_cast<numerics::Overflow>(below(2)));
        node.precision.emplace_back(text(), precision);
      }
      if (below(3) == 0)
        node.precision.emplace_back(text(), numerics::integer(8, std::nullopt, false));
      if (below(3) == 0) node.precision.emplace_back(text(), numerics::Precision{});
      out.nodes_mut().push_back(std::move(node));
    }
    const std::size_t parameters = below(4);
    for (std::size_t i = 0; i < parameters; ++i) {
      Tensor value = tensor();
      if (!value.defined()) value = Tensor({2, 0}, DType::Float16);
      out.add_parameter({"p" + std::to_string(i) + text(), value, below(2) == 0});
    }
    return out;
  }

 private:
  std::mt19937 random_;
};

TEST(GraphText, AnyValueReadsBack) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    const Value value = Maker(seed).value();
    const Result<Value> back = parse_literal(literal(value));
    ASSERT_TRUE(back.ok()) << literal(value) << ": " << back.error().message;
    ASSERT_TRUE(*back == value) << literal(value);
  }
}

TEST(GraphText, AnyGraphReadsBack) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    const Graph graph = Maker(seed).graph();
    Result<GraphText> text = parse_graph(to_text(graph));
    ASSERT_TRUE(text.ok()) << to_text(graph) << text.error().message;
    Result<Graph> back = with_parameters(std::move(*text), graph.state());
    ASSERT_TRUE(back.ok()) << back.error().message;
    ASSERT_TRUE(*back == graph) << to_text(graph);
  }
}

TEST(GraphText, DamagedTextIsReadOrRefusedButNeverWorse) {
  int refused = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Maker maker(seed);
    std::string text = to_text(seed % 2 ? example() : maker.graph());
    const std::size_t changes = 1 + maker.below(4);
    for (std::size_t i = 0; i < changes && !text.empty(); ++i) {
      const std::size_t at = maker.below(text.size());
      switch (maker.below(4)) {
        case 0:
          text[at] = static_cast<char>(maker.below(256));
          break;
        case 1:
          text.erase(at, 1 + maker.below(20));
          break;
        case 2:
          text.insert(at, text.substr(maker.below(text.size()), maker.below(40)));
          break;
        default:
          text.resize(at + 1);
      }
    }
    const Result<GraphText> result = parse_graph(text);
    if (!result.ok()) {
      ++refused;
      EXPECT_GT(result.error().where.line, 0);
      EXPECT_FALSE(result.error().message.empty());
    }
  }
  EXPECT_GT(refused, 1000);
}

std::string message(const std::string& text) {
  const Result<GraphText> result = parse_graph(text, "net.graph");
  return result.ok() ? "" : result.error().where.text() + ": " + result.error().message;
}

TEST(GraphText, MistakesHaveAPlace) {
  const std::string head = "mase graph 2\ngraph 'a' class 'A'\n";
  EXPECT_EQ(message(""), "net.graph:1:1: 'mase' is expected here");
  EXPECT_EQ(message("mase graph 2\n"), "net.graph:2:1: 'graph' is expected here");
  EXPECT_EQ(message("mase graph 3\n"),
            "net.graph:1:13: version 3 of the text of graphs is not known here");
  EXPECT_EQ(message(head + "nod 'x'\n"),
            "net.graph:3:4: 'parameter', 'buffer' or 'node' is expected here");
  EXPECT_EQ(message(head + "node 'x' call_modul 'a' 'b'\n"),
            "net.graph:3:20: there is no kind of node 'call_modul'");
  EXPECT_EQ(message(head + "node 'x' output 'a' 'b'\n  arg ()\n"),
            "net.graph:4:6: a node has no part 'arg'");
  EXPECT_EQ(message(head + "node 'x' output 'a' 'b'\n  args (1, 2x)\n"),
            "net.graph:4:12: '2x' is no value");
  EXPECT_EQ(message(head + "parameter 'w' float33 [1]\n"),
            "net.graph:3:22: there is no element type 'float33'");
  EXPECT_EQ(message(head + "parameter 'w' float32 [4294967296, 4294967296]\n"),
            "net.graph:3:47: no tensor has the shape [4294967296, 4294967296]");
  EXPECT_EQ(message(head + "node 'x' output 'a' 'b'\n  precision 'w' 'integr' {}\n"),
            "net.graph:4:28: unknown number format 'integr'; did you mean 'integer'?");
  EXPECT_EQ(message(head + "node 'x' output 'a' 'b'\n  precision 'w' 'integer' {'width': 99}\n"),
            "net.graph:4:40: format 'integer': width must be a whole number from 1 to 32, not 99");
  EXPECT_EQ(message(head + "node 'x\n"), "net.graph:3:8: the text has no closing quote");
  EXPECT_EQ(message(head + "node 'x' output 'a' 'b'\n  args " + std::string(5000, '(')),
            "net.graph:4:73: values are nested too deeply");
}

}  // namespace
}  // namespace mase::ir
