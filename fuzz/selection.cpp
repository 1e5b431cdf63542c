// Rules that select nodes: the first byte says how they are compared, each line is a rule. Every
// node has one rule at most, each rule the nodes it is said to have, and a rule that selects
// nothing is a problem.
#include "mase/passes/select.h"

#include <algorithm>

#include "fuzz/harness.h"
#include "fuzz/network.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  std::string_view text = fuzz::text_of(bytes);
  if (text.empty()) return;
  const auto by = static_cast<passes::By>(static_cast<unsigned char>(text.front()) % 3);
  text.remove_prefix(1);
  std::vector<passes::Rule> rules;
  while (!text.empty() && rules.size() < 1000) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    rules.push_back({.key = std::string(text.substr(0, end))});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  Diagnostics diagnostics;
  const auto selection = passes::select_nodes(fuzz::network(), by, rules, diagnostics);
  fuzz::require(selection.hits.size() == rules.size(), "one entry for each rule");
  std::vector<std::size_t> nodes(rules.size());
  for (const int rule : selection.rule_of_node) {
    fuzz::require(rule >= -1 && rule < static_cast<int>(rules.size()), "a rule that there is");
    if (rule >= 0) ++nodes[static_cast<std::size_t>(rule)];
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    fuzz::require(nodes[i] == selection.hits[i].nodes.size(), "nodes as they are listed");
  }
  const auto idle = std::count(nodes.begin(), nodes.end(), 0u);
  fuzz::require(diagnostics.problems().size() == static_cast<std::size_t>(idle),
                "a problem for each rule that selects nothing");
}
