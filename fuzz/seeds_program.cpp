// Seeds of what lies above the readers: from the rows of ops and passes, and by example.
#include <fmt/format.h>

#include "fuzz/network.h"
#include "fuzz/seeds.h"
#include "mase/io/arrays/safetensors.h"
#include "mase/io/graph/quantisation.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/ir/field_value.h"
#include "mase/ops/op.h"
#include "mase/passes/pass.h"
#include "mase/passes/transform/quantize.h"
#include "mase/support/files.h"
#include "mase/train/position.h"

namespace mase::fuzz {
namespace {

void answer_seeds(const fs::path& folder) {
  write_file(folder / "whole",
             "HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\nHTTP/2 200\r\nETag: \"a-1\"\r\n"
             "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"
             "Last-Modified: Tue, 15 Nov 1994 07:00:00 GMT\r\nContent-Length: 10\r\n\r\n");
  write_file(folder / "part",
             "HTTP/1.1 206 Partial Content\r\netag: W/\"a\"\r\ncontent-range: bytes 5-9/10\r\n"
             "transfer-encoding: gzip, chunked\r\n\r\n");
}

// Each layer with all of its attributes, by position and by name.
void layer_seeds(const fs::path& folder) {
  for (const ops::Op* op : ops::ops()) {
    if (op->layer.empty()) continue;
    std::vector<std::string> named;
    std::vector<std::string> plain;
    for (const ops::Attribute& attribute : op->attributes) {
      const std::string value = attribute.field.standard ? repr(*attribute.field.standard) : "3";
      named.push_back(fmt::format("{}={}", attribute.name(), value));
      plain.push_back(value);
    }
    write_file(folder / op->name, fmt::format("{}({})", op->layer, fmt::join(named, ", ")));
    write_file(folder / fmt::format("{}_plain", op->name),
               fmt::format("{}({})", op->layer, fmt::join(plain, ",")));
  }
}

void literal_seeds(const fs::path& folder) {
  write_file(folder / "header",
             "{'descr': [('a', '<f4'), (('t', 'b'), '>u2', (2,))], 'fortran_order': False, "
             "'shape': (2, 3), }");
  write_file(folder / "values",
             "[None, True, -1, 1.5e-3, inf, \"x\\n\\x41\\u00e9\", (), (1,), {}]");
}

void pass_seeds(const fs::path& folder) {
  for (const passes::Pass* pass : passes::passes()) {
    const std::string text = passes::example(*pass);
    // The options alone, those with their defaults, too.
    std::string options;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      std::string line = text.substr(at, end - at);
      at = end + 1;
      if (line.starts_with("# ")) line.erase(0, 2);
      const std::string header = fmt::format("[passes.{}", pass->name);
      if (line == header + "]") continue;
      if (line.starts_with(header + ".")) line = "[" + line.substr(header.size() + 1);
      options += line + "\n";
    }
    write_file(folder / pass->name, options);
  }
}

void quantize_seeds(const fs::path& folder) {
  for (const numerics::Format* format : numerics::formats()) {
    std::string config = fmt::format("name = \"{}\"\n", format->name);
    for (const char* group : {"data_in", "weight", "bias"}) {
      for (const Field& field : format->fields) {
        const bool given = field.must_be_given();
        const ir::Value value = given ? ir::Value(4) : ir::value_of(*field.standard);
        const bool truth = value.is<bool>();
        const std::string text = truth             ? (value.as_bool() ? "true" : "false")
                                 : value.is_none() ? "\"NA\""
                                                   : ir::repr(value);
        config += fmt::format("{}_{} = {}\n", group, field.name, text);
      }
    }
    write_file(folder / format->name,
               fmt::format("by = \"type\"\n[default.config]\nname = \"NA\"\n[linear]\noptional = "
                           "true\n[linear.config]\n{}",
                           config));
    write_file(folder / fmt::format("{}_by_name", format->name),
               fmt::format("by = \"regex_name\"\n[\"seq.*_0\".config]\n{}", config));
  }
}

ir::Dict place() {
  train::Position position{.epoch = 2, .batch = 3, .step = 13, .batches = 13};
  position.measured_epoch = 1;
  position.best_epoch = 1;
  position.best_loss = 0.5;
  return train::to_dict(position);
}

void position_seeds(const fs::path& folder) {
  std::string text;
  for (const auto& [key, value] : place()) text += fmt::format("{} = {}\n", key, ir::repr(value));
  write_file(folder / "place", text);
}

ir::State state_of(const ir::Graph& graph) {
  ir::State state;
  for (const ir::Parameter& p : graph.parameters()) state.emplace_back(p.name, p.value);
  return state;
}

// A checkpoint of the network, as this program or (without `mase`) another one writes it.
io::Checkpoint checkpoint(bool own, ir::Dict options, ir::Dict scheduler) {
  io::Checkpoint c{.epoch = 1, .global_step = 13};
  c.state = state_of(network());
  for (const ir::Parameter& p : network().parameters()) {
    if (p.is_buffer) continue;
    c.optimiser.push_back({p.name, 13, {{"exp_avg", p.value}, {"exp_avg_sq", p.value}}});
  }
  c.optimiser_options = std::move(options);
  c.scheduler = std::move(scheduler);
  if (own) c.mase = {{"format", 1}, {"position", place()}, {"course", ir::Dict{{"seed", 0}}}};
  return c;
}

ir::Dict adam() {
  return {{"lr", 0.1},        {"betas", ir::Tuple{{0.9, 0.999}}},
          {"eps", 1e-8},      {"weight_decay", 0.0},
          {"amsgrad", false}, {"maximize", false}};
}

void resume_seeds(const fs::path& folder) {
  const ir::Dict sgd = {{"lr", 0.1},           {"momentum", 0.9},   {"dampening", 0},
                        {"weight_decay", 0.0}, {"nesterov", false}, {"maximize", false}};
  const ir::Dict cosine = {{"T_max", 5},
                           {"eta_min", 0.0},
                           {"base_lrs", ir::List{0.1}},
                           {"last_epoch", 2},
                           {"_step_count", 3}};
  const ir::Dict step = {{"step_size", 5},
                         {"gamma", 0.5},
                         {"base_lrs", ir::List{0.1}},
                         {"last_epoch", 2},
                         {"_step_count", 3}};
  io::write_lightning_checkpoint(folder / "own", checkpoint(true, adam(), {}));
  io::write_lightning_checkpoint(folder / "cosine", checkpoint(false, adam(), cosine));
  io::write_lightning_checkpoint(folder / "step", checkpoint(false, sgd, step));
}

void load_seeds(const fs::path& folder) {
  io::Checkpoint quantised = checkpoint(true, adam(), {});
  quantised.mase.emplace_back(
      "quantisation",
      io::quantisation_of(passes::quantize(
          network(), {.rules = {passes::QuantizeRule("linear", numerics::integer(8, 4))}})));
  io::write_lightning_checkpoint(folder / "quantised", quantised);
  io::write_lightning_checkpoint(folder / "lightning", checkpoint(true, adam(), {}));
  io::write_state_dict(folder / "state", state_of(network()));
  io::write_safetensors(folder / "safetensors", {state_of(network()), {}});
}

void selection_seeds(const fs::path& folder) {
  write_file(folder / "type", std::string("\0linear\nrelu\nbatch_norm1d\n", 26));
  write_file(folder / "name", "\x01seq_blocks_0\nx\n");
  write_file(folder / "regex", "\x02seq_blocks_[0-1]\n(a|b)*c{2,3}\n.*\n[[:alpha:]]+\\d?$\n");
}

void state_seeds(const fs::path& folder) {
  write_file(folder / "runs", R"({"format": 1, "mase": "0.1.0", "runs": {
    "0123456789abcdef": {"status": "finished", "reason": "", "folder": "runs/a",
      "settings": {"batch_size": 64, "model": "x", "none": null, "rates": [0.1, true]},
      "engine": "native", "parameters": 10, "epochs": 2, "steps": 20, "seconds": 1.5,
      "measured": {"train_loss_step": 0.5, "val_acc_epoch": 0.25}},
    "b": {"status": "failed", "reason": "x\u00e9", "folder": "runs/b", "settings": {},
      "engine": "", "parameters": 0, "epochs": 0, "steps": 0, "seconds": 0}}})");
}

void curve_seeds(const fs::path& folder) {
  write_file(folder / "metrics",
             "epoch,step,train_loss_step,train_loss_epoch,train_acc_epoch,val_loss_epoch,"
             "val_acc_epoch\n0,9,0.7,,,,\n0,9,,0.7,0.5,0.6,0.5\n1,19,,0.5,0.75,inf,nan\n");
}

void configuration_seeds(const fs::path& folder) {
  write_file(folder / "options",
             "model = \"jsc-tiny\"\ntask = \"cls\"\ndataset = \"jsc\"\nbatch_size = 64\n"
             "learning_rate = 1e-3\nmax_epochs = 3\nseed = 1\nlog_level = \"info\"\n"
             "[data]\nfeatures = [\"a\", \"X[0..3]\"]\ntarget = \"kind\"\nclasses = [0, 1]\n"
             "[sweep]\nbatch_size = \"64,128\"\nseed = \"0..3\"\n[[sweep.run]]\nmax_epochs = 2\n");
}

}  // namespace

std::span<const Seeds> program_seeds() {
  static constexpr Seeds kSeeds[] = {
      {"answer_head", answer_seeds},   {"configuration", configuration_seeds},
      {"curves", curve_seeds},         {"layer_text", layer_seeds},
      {"load_parameters", load_seeds}, {"pass_options", pass_seeds},
      {"position", position_seeds},    {"python_literal", literal_seeds},
      {"quantize", quantize_seeds},    {"resume", resume_seeds},
      {"selection", selection_seeds},  {"sweep_state", state_seeds},
  };
  return kSeeds;
}

}  // namespace mase::fuzz
