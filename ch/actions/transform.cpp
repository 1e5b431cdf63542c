// ch transform --config FILE: the passes of a configuration file on a graph, in file order.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "ch/actions/actions.h"
#include "ch/load.h"
#include "ch/options/config_file.h"
#include "ch/run.h"
#include "ch/work_folder.h"
#include "mase/io/text/toml.h"
#include "mase/ir/graph_text.h"
#include "mase/ir/value.h"
#include "mase/passes/batches.h"
#include "mase/passes/interface/mase_graph.h"
#include "mase/passes/pass.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/support/progress.h"
#include "mase/support/suggest.h"

namespace ch {

namespace passes = mase::passes;

namespace {

// Passes that every transform starts with, unless a loaded graph carries their results.
constexpr std::string_view kPreparation[] = {"init_metadata", "add_common_metadata",
                                             "add_software_metadata"};

constexpr std::string_view kTransformFolder = "transform";

// The bar of the work that goes on: a new one for each description.
class Bars {
 public:
  void show(std::string_view description, std::size_t done, std::size_t total) {
    if (!bar_ || description != description_) {
      description_ = description;
      bar_ = std::make_unique<mase::Progress>(description_, static_cast<std::int64_t>(total),
                                              stderr, mase::ProgressOptions{.keep = false});
    }
    bar_->update(static_cast<std::int64_t>(done));
    if (done == total) {
      bar_->finish(static_cast<std::int64_t>(done));
      bar_.reset();
    }
  }

 private:
  std::string description_;
  std::unique_ptr<mase::Progress> bar_;
};

constexpr std::string_view kEveryPass = "all";

// That the pass whose graph is asked for runs at all.
void check_print_after(const Run& run, const std::vector<PlannedPass>& plan) {
  if (!run.settings.has("print_after")) return;
  const std::string& wanted = run.settings.text("print_after");
  std::vector<std::string> names{std::string(kEveryPass)};
  for (const PlannedPass& planned : plan) names.emplace_back(planned.pass->name);
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return;
  std::string hint = mase::did_you_mean(wanted, names);
  if (hint.empty()) hint = fmt::format("choose from {}", fmt::join(names, ", "));
  mase::usage_error(fmt::format("--print-after {}: the configuration runs no such pass", wanted),
                    {}, std::move(hint));
}

class Transform {
 public:
  Transform(Run& run, const std::vector<PlannedPass>& plan, const std::filesystem::path& folder)
      : run_(run), plan_(plan) {
    const std::int64_t batch_size = run.settings.integer("batch_size");
    const auto seed = static_cast<std::uint64_t>(run.settings.integer("seed"));
    context_.out = &std::cout;
    context_.info = [&run](std::string_view text) { run.info(text); };
    context_.warn = [&run](std::string_view text) { run.warn(text); };
    context_.debug = [&run](std::string_view text) { run.log.debug(text); };
    context_.progress = [this](std::string_view text, std::size_t done, std::size_t total) {
      bars_.show(text, done, total);
    };
    context_.folder = folder;
    context_.batches = [&run, batch_size, seed] {
      return passes::batches(run.data.train, batch_size, seed, run.graph.placeholders().at(0));
    };
    context_.dummy_input = context_.batches()().value();
    context_.engine = run.settings.text("engine");
    context_.json = run.json();
  }

  void prepare() {
    for (const std::string_view name : kPreparation) {
      const passes::Pass& pass = *passes::find_pass(name);
      if (pass.done && pass.done(run_.graph)) continue;
      call(pass, default_options(pass));
    }
  }

  void run_plan() {
    for (const PlannedPass& planned : plan_) {
      run_.phases.start(planned.pass->name);
      results_[std::string(planned.pass->name)] =
          mase::ir::to_json(call(*planned.pass, planned.options));
      if (run_.settings.has("print_after")) print_after(planned.pass->name);
    }
    run_.phases.stop();
  }

  // One object: what each pass found.
  void print_results() const { std::cout << mase::ir::json_text(results_, 2) << "\n"; }

 private:
  mase::ir::Value call(const passes::Pass& pass, const passes::Options& options) {
    passes::PassResult result = passes::run_pass(pass, run_.graph, options, context_);
    std::cout.flush();  // reports appear between the log lines they belong to
    run_.graph = std::move(result.graph);
    return std::move(result.info);
  }

  // Results for machines go to standard output alone.
  void print_after(std::string_view pass) const {
    const std::string& wanted = run_.settings.text("print_after");
    if (wanted != kEveryPass && wanted != pass) return;
    (run_.json() ? std::cerr : std::cout)
        << fmt::format("The graph after {}:\n{}", pass, mase::ir::to_text(run_.graph)) << std::endl;
  }

  static passes::Options default_options(const passes::Pass& pass) {
    mase::Diagnostics diagnostics;
    passes::Options options = passes::check_options(pass, {}, {}, diagnostics);
    diagnostics.throw_if_any(mase::ErrorKind::Internal);
    return options;
  }

  Run& run_;
  const std::vector<PlannedPass>& plan_;
  Bars bars_;
  passes::Context context_;
  nlohmann::ordered_json results_ = nlohmann::ordered_json::object();
};

// What was done, as a configuration file that does it again.
void save_configuration(const Run& run, const std::vector<PlannedPass>& plan,
                        const std::filesystem::path& folder) {
  mase::ir::Dict values = run.settings.values();
  mase::ir::Dict tables;
  for (const PlannedPass& planned : plan) {
    tables.emplace_back(planned.pass->name, planned.options.values());
  }
  values.emplace_back(kPassesKey, std::move(tables));
  mase::write_file(folder / "config.toml", mase::io::write_toml(values));
}

// Whether the first pass puts another graph in the place of the model's.
bool begins_with_graph(const std::vector<PlannedPass>& plan) {
  return !plan.empty() && plan.front().pass->name == mase::passes::kLoadMaseGraph.name;
}

void print_plan(const Run& run, const std::vector<PlannedPass>& plan) {
  std::cout << fmt::format("would transform '{}':\n", run.model_name());
  for (const PlannedPass& planned : plan) {
    std::cout << fmt::format("  {:<28} {}\n", planned.pass->name, planned.pass->summary);
  }
  std::cout << fmt::format("would write to {}\n", run.software(kTransformFolder).string());
}

}  // namespace

int run_transform(Invocation& invocation) {
  Run run(invocation);
  if (!run.settings.has("config")) {
    mase::usage_error("expected configuration via --config, got None", {},
                      "the passes to run are its tables [passes.NAME]");
  }
  check_print_after(run, invocation.plan);
  run.open();
  run.info(fmt::format("Transforming model '{}'...", run.model_name()));
  const bool loaded = load_or_warn(run, begins_with_graph(invocation.plan));
  if (run.dry_run()) {
    print_plan(run, invocation.plan);
    return 0;
  }
  if (invocation.plan.empty()) run.warn("the configuration names no passes");

  run.phases.start("prepare the graph");
  const WorkFolder folder(run, kTransformFolder);
  Transform transform(run, invocation.plan, folder.path());
  transform.prepare();
  transform.run_plan();
  run.phases.start("save");
  save_configuration(run, invocation.plan, folder.path());
  run.save_graph(run.graph, folder.path() / "transformed_ckpt");
  if (run.json()) transform.print_results();
  run.complete("Transformation");
  if (!loaded) run.warn("the weights of the transformed network are random: see above");
  return 0;
}

}  // namespace ch
