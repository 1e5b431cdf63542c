// How passes are found, checked against the graph they get, run and verified.
#include "mase/passes/pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "mase/ops/verify.h"
#include "mase/passes/table.h"

namespace mase::passes {
namespace {

std::vector<const Pass*>& plugins() {
  static std::vector<const Pass*> registered;
  return registered;
}

// Swallows what is written to it.
std::ostream& nowhere() {
  static std::ostream stream(nullptr);
  return stream;
}

void check_needs(const Pass& pass, const ir::Graph& graph) {
  for (const std::string_view need : pass.needs) {
    const Pass* needed = find_pass(need);
    if (needed == nullptr || needed->done == nullptr) {
      internal_error(
          fmt::format("pass {} needs {}, which says nothing of its results", pass.name, need));
    }
    if (!needed->done(graph)) {
      usage_error(fmt::format("{} needs the results of {}", pass.name, need), {},
                  fmt::format("run {} before it", need));
    }
  }
}

void report_hits(const Pass& pass, const PassResult& result, const Context& context) {
  constexpr std::size_t kShown = 6;
  for (const RuleHits& hits : result.hits) {
    const std::vector<std::string>& nodes = hits.nodes;
    const auto end = nodes.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, nodes.size()));
    std::string names = fmt::format("{}", fmt::join(nodes.begin(), end, ", "));
    if (nodes.size() > kShown) names += ", ...";
    context.log_info(fmt::format("{}: '{}' selects {} node{}{}{}", pass.name, hits.rule,
                                 nodes.size(), nodes.size() == 1 ? "" : "s",
                                 names.empty() ? "" : ": ", names));
  }
}

}  // namespace

std::string_view name(PassKind kind) {
  switch (kind) {
    case PassKind::Analysis:
      return "analysis";
    case PassKind::Transform:
      return "transform";
    case PassKind::Interface:
      return "interface";
  }
  return "";
}

std::ostream& Context::output() const {
  return out == nullptr ? nowhere() : *out;
}
// Results leave before the log line that follows them: both may end up in one window or file.
void Context::log_info(std::string_view text) const {
  output().flush();
  if (info) info(text);
}
void Context::log_warning(std::string_view text) const {
  output().flush();
  if (warn) warn(text);
}
void Context::log_debug(std::string_view text) const {
  output().flush();
  if (debug) debug(text);
}
void Context::print_report(std::string_view title, std::string_view report) const {
  if (json) return;
  log_info(title);
  log_info("");
  output() << report << (report.ends_with('\n') ? "" : "\n");
}

std::vector<const Pass*> passes() {
  const auto builtin = builtin_passes();
  std::vector<const Pass*> all(builtin.begin(), builtin.end());
  all.insert(all.end(), plugins().begin(), plugins().end());
  std::sort(all.begin(), all.end(), [](const Pass* a, const Pass* b) { return a->name < b->name; });
  return all;
}

const Pass* find_pass(std::string_view name) {
  for (const Pass* pass : passes()) {
    if (pass->name == name) return pass;
  }
  return nullptr;
}

void register_plugin_pass(const Pass& pass) {
  if (find_pass(pass.name) != nullptr) {
    usage_error(fmt::format("there is a pass named '{}' already", pass.name), {},
                "give the pass of the plug-in another name");
  }
  plugins().push_back(&pass);
}

PassResult run_pass(const Pass& pass, const ir::Graph& graph, const Options& options,
                    Context& context) {
  check_needs(pass, graph);
  std::ostream* const out = context.out;
  if (context.json) context.out = nullptr;
  PassResult result;
  try {
    result = pass.run(graph, options, context);
  } catch (...) {
    context.out = out;
    throw;
  }
  context.out = out;
  report_hits(pass, result, context);
  ops::check(result.graph, fmt::format("pass {}", pass.name));
  return result;
}

}  // namespace mase::passes
