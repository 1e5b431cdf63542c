// Structural checks of a graph.
#include "mase/ir/verify.h"

#include <fmt/format.h>

#include <cctype>
#include <unordered_set>

namespace mase::ir {
namespace {

bool is_identifier(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  for (char c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  }
  return true;
}

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph) {}

  std::vector<Problem> run() {
    parameters();
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      node(graph_.nodes()[i], i + 1 == graph_.nodes().size());
    }
    if (outputs_ == 0) add("the graph has no output", {});
    return std::move(problems_);
  }

 private:
  void add(std::string message, const std::string& node) {
    problems_.push_back({{.node = node}, std::move(message), {}});
  }

  void parameters() {
    for (const Parameter& parameter : graph_.parameters()) {
      if (!parameter_names_.insert(parameter.name).second) {
        add(fmt::format("there are two parameters '{}'", parameter.name), {});
      }
      if (!parameter.value.defined()) {
        add(fmt::format("the parameter '{}' has no value", parameter.name), {});
      }
    }
  }

  // Sizes are multiplied with those of batches, which must not overflow.
  void type(const Node& node) {
    constexpr std::int64_t kMostElements = std::int64_t{1} << 31;  // of a sample
    if (node.kind != NodeKind::Placeholder) {
      add("only inputs are typed, results follow from them", node.name);
    }
    std::int64_t count = 1;
    for (const std::int64_t size : node.type->shape) {
      count = size < 0 || size > kMostElements ? kMostElements + 1 : count * size;
      if (count <= kMostElements) continue;
      return add(fmt::format("no sample has the shape {}", text(node.type->shape)), node.name);
    }
  }

  void node(const Node& node, bool last) {
    if (!is_identifier(node.name)) add(fmt::format("'{}' is no name", node.name), node.name);
    for (const std::string& input : node.inputs()) {
      if (!seen_.contains(input)) {
        add(fmt::format("reads '{}', which is not computed before it", input), node.name);
      }
    }
    if (!seen_.insert(node.name).second) add("the name is taken", node.name);
    if (node.type) type(node);
    switch (node.kind) {
      case NodeKind::GetAttr:
        if (!parameter_names_.contains(node.target)) {
          add(fmt::format("the graph has no parameter '{}'", node.target), node.name);
        }
        break;
      case NodeKind::Output:
        if (++outputs_ > 1) add("there is another output before it", node.name);
        if (!last) add("nodes come after the output", node.name);
        if (node.args.size() != 1) add("an output has one argument", node.name);
        break;
      case NodeKind::CallMethod:
        if (node.args.empty()) add("a method needs an object", node.name);
        break;
      default:
        break;
    }
    if (node.target.empty()) add("the node has no target", node.name);
  }

  const Graph& graph_;
  std::unordered_set<std::string> seen_;
  std::unordered_set<std::string> parameter_names_;
  int outputs_ = 0;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> verify_structure(const Graph& graph) {
  return Verifier(graph).run();
}

}  // namespace mase::ir
