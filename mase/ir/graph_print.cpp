// The text of a graph as torch.fx prints it.
#include <fmt/format.h>

#include <string>
#include <unordered_map>

#include "mase/ir/graph.h"

namespace mase::ir {
namespace {

// Inside argument lists nodes are marked by a percent sign; texts and dictionary keys stand without
// quotes.
std::string argument(const Value& value) {
  if (const auto* ref = value.get<NodeRef>()) return "%" + ref->name;
  if (const auto* text = value.get<std::string>()) return *text;
  const auto join = [](const auto& items) {
    std::string out;
    for (std::size_t i = 0; i < items.size(); ++i) out += (i ? ", " : "") + argument(items[i]);
    return out;
  };
  if (const auto* tuple = value.get<Tuple>()) {
    return fmt::format("({}{})", join(tuple->items), tuple->items.size() == 1 ? "," : "");
  }
  if (const auto* list = value.get<List>()) return fmt::format("[{}]", join(*list));
  if (const auto* dict = value.get<Dict>()) {
    std::string out;
    for (const auto& [key, item] : *dict) {
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", key, argument(item));
    }
    return "{" + out + "}";
  }
  return repr(value);
}

}  // namespace

std::string print(const Node& node, std::size_t users) {
  std::string head = fmt::format("%{} : [num_users={}] = {}[target={}]", node.name, users,
                                 name(node.kind), node.target);
  switch (node.kind) {
    case NodeKind::Placeholder:
      return node.args.empty() ? head : fmt::format("{}(default={})", head, argument(node.args[0]));
    case NodeKind::GetAttr:
      return head;
    case NodeKind::Output:
      return fmt::format("return {}", node.args.empty() ? "None" : repr(node.args[0]));
    default:
      return fmt::format("{}(args = {}, kwargs = {})", head, argument(Tuple{node.args}),
                         argument(node.kwargs));
  }
}

std::string print(const Graph& graph) {
  std::unordered_map<std::string, std::size_t> users;
  for (const Node& node : graph) {
    for (const std::string& input : node.inputs()) ++users[input];
  }
  std::string text = "graph():";
  for (const Node& node : graph) text += "\n    " + print(node, users[node.name]);
  return text;
}

}  // namespace mase::ir
