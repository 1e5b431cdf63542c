// Selection of nodes by op, by name or by a regular expression for the whole name.
#include "mase/passes/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "mase/support/pattern.h"
#include "mase/support/suggest.h"

namespace mase::passes {
namespace {

constexpr std::array<std::pair<By, std::string_view>, 3> kNames{
    {{By::Type, "type"}, {By::Name, "name"}, {By::RegexName, "regex_name"}}};

// A rule with its expression, if it has one that could be read.
struct Matcher {
  const Rule* rule;
  By by;
  std::optional<Pattern> expression = std::nullopt;

  bool operator()(const ir::Node& node) const {
    switch (by) {
      case By::Type:
        return ir::mase_op(node) == rule->key;
      case By::Name:
        return node.name == rule->key;
      case By::RegexName:
        return expression && expression->matches(node.name);
    }
    return false;
  }
};

std::vector<Matcher> matchers_of(By by, std::span<const Rule> rules, Diagnostics& diagnostics) {
  std::vector<Matcher> matchers;
  for (const Rule& rule : rules) {
    matchers.push_back({&rule, by});
    if (by != By::RegexName) continue;
    if (auto pattern = Pattern::parse(rule.key)) {
      matchers.back().expression = std::move(pattern).value();
    } else {
      diagnostics.add(pattern.error().message, rule.where);
    }
  }
  return matchers;
}

// Why a rule selected nothing, for the user.
void explain(const ir::Graph& graph, const Matcher& matcher, const WhyNot& why_not,
             Diagnostics& diagnostics) {
  const Rule& rule = *matcher.rule;
  std::vector<std::string> candidates;
  for (const ir::Node& node : graph) {
    const std::string reason = why_not ? why_not(node) : "";
    if (!reason.empty() && matcher(node)) {
      diagnostics.add(fmt::format("'{}' selects no node: {} {}", rule.key, node.name, reason),
                      rule.where, "leave the rule out, or set optional = true in it");
      return;
    }
    if (reason.empty() && matcher(node)) {
      diagnostics.add(
          fmt::format("'{}' selects no node: an earlier rule took {}", rule.key, node.name),
          rule.where, "put the more special rule first");
      return;
    }
    if (!reason.empty()) continue;
    const std::string& candidate = matcher.by == By::Type ? ir::mase_op(node) : node.name;
    if (std::find(candidates.begin(), candidates.end(), candidate) == candidates.end()) {
      candidates.push_back(candidate);
    }
  }
  std::string hint = did_you_mean(rule.key, candidates);
  if (hint.empty() && !candidates.empty()) {
    constexpr std::size_t kShown = 8;
    const bool more = candidates.size() > kShown;
    if (more) candidates.resize(kShown);
    hint = fmt::format("there {} {}{}", candidates.size() == 1 ? "is" : "are",
                       fmt::join(candidates, ", "), more ? ", ..." : "");
  }
  const std::string_view what = matcher.by == By::Type   ? "op"
                                : matcher.by == By::Name ? "name"
                                                         : "name pattern";
  diagnostics.add(fmt::format("no node has the {} '{}'", what, rule.key), rule.where, hint);
}

}  // namespace

std::string_view name(By by) {
  return kNames.at(static_cast<std::size_t>(by)).second;
}

std::vector<std::string_view> by_names() {
  std::vector<std::string_view> names;
  for (const auto& [by, name] : kNames) names.push_back(name);
  return names;
}

By parse_by(std::string_view text, const Location& where) {
  std::vector<std::string> names;
  for (const auto& [by, name] : kNames) {
    if (name == text) return by;
    names.emplace_back(name);
  }
  const std::string near = did_you_mean(text, names);
  usage_error(fmt::format("cannot select nodes by '{}'", text), where,
              near.empty() ? "choose from type, name, regex_name" : near);
}

Selection select_nodes(const ir::Graph& graph, By by, std::span<const Rule> rules,
                       Diagnostics& diagnostics, const WhyNot& why_not) {
  const std::vector<Matcher> matchers = matchers_of(by, rules, diagnostics);
  Selection selection;
  for (const Rule& rule : rules) selection.hits.push_back({rule.key, {}});
  for (const ir::Node& node : graph) {
    int chosen = -1;
    if (!why_not || why_not(node).empty()) {
      const auto found = std::find_if(matchers.begin(), matchers.end(),
                                      [&](const Matcher& matches) { return matches(node); });
      if (found != matchers.end()) chosen = static_cast<int>(found - matchers.begin());
    }
    selection.rule_of_node.push_back(chosen);
    if (chosen >= 0) selection.hits[static_cast<std::size_t>(chosen)].nodes.push_back(node.name);
  }
  for (std::size_t i = 0; i < matchers.size(); ++i) {
    const bool broken = by == By::RegexName && !matchers[i].expression;
    if (!selection.hits[i].nodes.empty() || matchers[i].rule->optional || broken) continue;
    explain(graph, matchers[i], why_not, diagnostics);
  }
  return selection;
}

}  // namespace mase::passes
