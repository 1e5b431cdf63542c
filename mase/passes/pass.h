#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/engine/engine.h"
#include "mase/ir/graph.h"
#include "mase/support/diagnostics.h"
#include "mase/support/field.h"

// A pass is one row and a free function beside it: passes/<kind>/<name>.{h,cpp}. The row says what
// the pass is called in TOML, which keys it takes and how it runs from there; the free function is
// the same work for C++ callers, with an options struct of its own.
namespace mase::passes {

enum class PassKind { Analysis, Transform, Interface };
std::string_view name(PassKind kind);

// The checked options of one run, defaults filled in, with the places they came from.
class Options {
 public:
  Options() = default;
  Options(ir::Dict values, Location where) : values_(std::move(values)), where_(std::move(where)) {}

  const ir::Dict& values() const { return values_; }
  const ir::Value* find(std::string_view key) const;  // null if absent or None
  const ir::Value& at(std::string_view key) const;    // Error{Usage} if absent
  std::string text(std::string_view key) const { return at(key).as_text(); }
  bool flag(std::string_view key) const { return at(key).as_bool(); }
  std::int64_t integer(std::string_view key) const { return at(key).as_int(); }
  double number(std::string_view key) const { return at(key).as_number(); }
  std::vector<std::string> texts(std::string_view key) const;

  const Location& where() const { return where_; }
  // Place of a key (dotted for nested tables: "linear.config.name"), or of the table.
  Location where(std::string_view dotted_key) const;
  void set_location(std::string dotted_key, Location where);

 private:
  ir::Dict values_;
  Location where_;
  std::vector<std::pair<std::string, Location>> locations_;
};

// How many nodes a rule selected; every pass with rules reports them.
struct RuleHits {
  std::string rule;
  std::vector<std::string> nodes;
};

struct PassResult {
  ir::Graph graph;
  ir::Value info;  // what the pass found: JSON for --json, "" for nothing
  std::vector<RuleHits> hits;
};

// Batches for passes that run data through the graph: the placeholders' values by name; nullopt at
// the end of the data.
using BatchSource = std::function<std::optional<ir::Named<ir::Tensor>>()>;

// What a pass may use of the world around it. Everything printed goes through here.
struct Context {
  std::ostream* out = nullptr;                           // results: standard output of `ch`
  std::function<void(std::string_view)> info = nullptr;  // a log line at level info
  std::function<void(std::string_view)> warn = nullptr;
  std::function<void(std::string_view)> debug = nullptr;
  // Progress of long work: (description, done, total).
  std::function<void(std::string_view, std::size_t, std::size_t)> progress = nullptr;
  std::filesystem::path folder;                    // <output>/software/transform
  std::optional<ir::Graph> original;               // the graph before the last quantise
  ir::Named<ir::Tensor> dummy_input;               // the first training batch
  std::function<BatchSource()> batches = nullptr;  // a fresh pass over the training rows
  std::string engine = "auto";
  bool json = false;  // reports as JSON

  std::ostream& output() const;
  void log_info(std::string_view text) const;
  void log_warning(std::string_view text) const;
  void log_debug(std::string_view text) const;
  // A report that MASE logs: the title, and the empty line that its table begins on, go to the log,
  // the report itself to output() alone. Both in one window read as they always did. Nothing at
  // all with `json`.
  void print_report(std::string_view title, std::string_view report) const;
};

struct Pass {
  std::string_view name;  // key in [passes.<name>]
  PassKind kind = PassKind::Analysis;
  std::string_view summary;
  // The keys of its table; "*" stands for further keys of the user's choice (rules). An example is
  // TOML, of "*" a whole line.
  std::vector<Field> options = {};
  std::vector<std::string_view> needs = {};  // passes whose results it reads
  PassResult (*run)(const ir::Graph&, const Options&, Context&) = nullptr;
  // What the rows cannot say of the options; called when those found nothing wrong.
  void (*check)(const Options&, Diagnostics&) = nullptr;
  // Whether a graph carries this pass's results; absent for passes that no other one needs.
  bool (*done)(const ir::Graph&) = nullptr;
};

// A table for a configuration file that runs the pass: the keys it needs with values that work for
// networks of linear layers, its other keys with their defaults behind "# ".
std::string example(const Pass& pass);

// All passes, sorted by name (passes/table.cpp), and those of loaded plug-ins.
std::vector<const Pass*> passes();
const Pass* find_pass(std::string_view name);
void register_plugin_pass(const Pass& pass);  // Error{Usage} if the name is taken

// Checks a table against the pass's fields and fills in defaults; problems go to `diagnostics`.
// Values become what their fields say: one text a list of texts. None is the text "NA" of a file.
// `places` are those of the keys in the file, dotted for nested tables ("linear.config.name"), for
// messages and for Options::where; a key without one stands at `where`.
Options check_options(const Pass& pass, const ir::Dict& given, const Location& where,
                      Diagnostics& diagnostics, const ir::Named<Location>& places = {});
// The same for fields that belong to something else (`owner`, for messages).
Options check_options(std::string_view owner, std::span<const Field> fields, const ir::Dict& given,
                      const Location& where, Diagnostics& diagnostics,
                      const ir::Named<Location>& places = {});

// Runs a pass: checks its needs (Error{Usage} naming the pass to add before), runs it, logs what
// its rules selected, verifies the graph that comes out (Error{CheckFailed}). With `context.json`
// the pass prints nothing: its PassResult::info is the result.
PassResult run_pass(const Pass& pass, const ir::Graph& graph, const Options& options,
                    Context& context);

}  // namespace mase::passes
