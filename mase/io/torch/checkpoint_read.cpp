// Reads Lightning checkpoints and state dictionaries, and tells what a file is from its content.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "mase/io/arrays/safetensors.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/io/torch/checkpoint_keys.h"
#include "mase/io/torch/torch_archive.h"
#include "mase/support/printable.h"

namespace mase::io {
namespace {

using ir::Dict;
using ir::State;

constexpr std::string_view kGraphMember = "graph.txt";  // of our `.mz` (io/graph/mz.h)
constexpr std::string_view kWayOut =
    "load the state_dict.pt that lies beside it (--load-type pt) and apply the same TOML again";

bool mentions(std::span<const std::byte> bytes, std::string_view text) {
  return text_of(bytes).find(text) != std::string_view::npos;
}

bool holds_tensors(const Object& mapping) {
  return std::any_of(mapping.entries().begin(), mapping.entries().end(), [](const ObjectPair& e) {
    return TorchArchive::is_tensor(e.second) || !TorchArchive::unread_kind(e.second).empty();
  });
}

// What a torch.save file holds, from its tree.
Result<CheckpointKind> classify(const Object& root, const std::string& file_name) {
  const Location where{.file = file_name};
  if (!root.is_mapping()) {
    const std::string name = root.global_name();
    if (name.starts_with("torch.fx.")) return CheckpointKind::PickledMz;
    if (name.empty() || TorchArchive::is_tensor(root)) {
      return ReadError{"holds a single value, not a dictionary of tensors", where};
    }
    return ReadError{
        fmt::format("a pickled {} (code, not data); save its state_dict() instead", name), where};
  }
  const Object* state = root.find("state_dict");
  if (root.find("pytorch-lightning_version") || (state && root.find("global_step"))) {
    return CheckpointKind::Lightning;
  }
  if ((state && state->is_mapping()) || holds_tensors(root)) return CheckpointKind::StateDict;
  if (root.entries().empty()) return CheckpointKind::StateDict;
  std::string keys;
  for (const auto& [key, value] :
       root.entries().first(std::min<std::size_t>(root.entries().size(), 5))) {
    keys += fmt::format("{}'{}'", keys.empty() ? "" : ", ", key.raw());
  }
  return ReadError{
      fmt::format("a dictionary without tensors and without 'state_dict'; it has {}", keys), where};
}

Result<CheckpointKind> keep(TorchArchive read, const std::string& file_name,
                            std::optional<TorchArchive>& archive) {
  auto kind = classify(read.root(), file_name);
  if (kind) archive = std::move(read);
  return kind;
}

// What kind a file is; `archive` is filled when it is one of torch.save's.
Result<CheckpointKind> open_archive(const Bytes& bytes, const std::string& file_name,
                                    std::optional<TorchArchive>& archive) {
  const Location where{.file = file_name};
  if (!looks_like_zip(bytes.bytes)) {
    if (auto old = TorchArchive::parse_old(bytes, file_name)) {
      if (!*old) return old->error();
      return keep(std::move(*old).value(), file_name, archive);
    }
    if (looks_like_safetensors(bytes.bytes)) return CheckpointKind::SafeTensors;
    if (bytes.bytes.empty()) return ReadError{"the file is empty", where};
    return ReadError{"not a checkpoint: neither a file of torch.save, nor safetensors, nor a .mz",
                     where};
  }
  auto zip = ZipReader::parse(bytes, file_name);
  if (!zip) return zip.error();
  if (zip->find(kGraphMember)) return CheckpointKind::MaseGraph;
  Bytes code;
  for (const ZipEntry& entry : zip->entries()) {
    if (!entry.name.ends_with("/data.pkl")) continue;
    if (auto member = zip->read(entry, honest_size(entry))) code = *std::move(member);
    break;
  }
  auto parsed = TorchArchive::parse(*std::move(zip));
  if (!parsed) {
    // A pickled graph may hold things that are no data at all; what it is, is clear all the same.
    if (mentions(code.bytes, "torch.fx.graph_module")) return CheckpointKind::PickledMz;
    return parsed.error();
  }
  return keep(std::move(parsed).value(), file_name, archive);
}

// Into the state of `out`, and the tensors that are not read.
Status read_state(TorchArchive& archive, const Object& mapping, Checkpoint& out) {
  for (const auto& [key, value] : mapping.entries()) {
    if (!key.text()) continue;
    if (const std::string_view kind = TorchArchive::unread_kind(value); !kind.empty()) {
      out.unread.emplace_back(*key.text(), kind);
    }
    if (!TorchArchive::is_tensor(value)) continue;  // _extra_state and the like
    auto tensor = archive.tensor(value);
    if (!tensor) {
      return ReadError{fmt::format("{}: {}", shortened(*key.text()), tensor.error().message),
                       tensor.error().where};
    }
    out.state.emplace_back(*key.text(), *std::move(tensor));
  }
  return std::monostate{};
}

// The wrapper's own tensors (metric states) go, and the wrapper's name in front of the others. A
// checkpoint in which nothing has the prefix is kept as it is.
template <typename T>
ir::Named<T> without_wrapper(ir::Named<T> named) {
  constexpr std::string_view kWrapper = "model.";
  const auto wrapped = [&](const auto& e) { return e.first.find(kWrapper) != std::string::npos; };
  if (std::none_of(named.begin(), named.end(), wrapped)) return named;
  ir::Named<T> out;
  for (auto& entry : named) {
    if (!wrapped(entry)) continue;
    out.emplace_back(entry.first.substr(entry.first.find('.') + 1), std::move(entry.second));
  }
  return out;
}

bool is_buffer(std::string_view name) {
  return name.ends_with("running_mean") || name.ends_with("running_var") ||
         name.ends_with("num_batches_tracked");
}

// The optimiser numbers its parameters in the order of the model. Our files list their names; in
// others they are the tensors of the state dictionary that are no running statistics.
struct OptimiserNames {
  std::vector<std::string> names;
  bool own = false;
};
OptimiserNames optimiser_names(const Object& root, const State& state) {
  const Object* section = root.find("mase");
  const Object* listed = section ? section->find(kOptimiserParameters) : nullptr;
  OptimiserNames out{.own = listed != nullptr};
  if (listed) {
    for (const Object& name : listed->items()) out.names.push_back(name.raw());
    return out;
  }
  for (const auto& [name, tensor] : state) {
    if (!is_buffer(name)) out.names.push_back(name);
  }
  return out;
}

Result<ir::OptimiserState> read_optimiser(TorchArchive& archive, const Object& optimiser,
                                          const OptimiserNames& parameters) {
  const auto& names = parameters.names;
  std::vector<std::optional<ir::OptimiserSlot>> found(names.size());
  // Slots without content (SGD before its first step) are not in the file.
  if (parameters.own) {
    for (std::size_t i = 0; i < names.size(); ++i) found[i] = {.parameter = names[i]};
  }
  const Object* slots = optimiser.find("state");
  if (!slots) return ir::OptimiserState{};
  for (const auto& [key, value] : slots->entries()) {
    const auto index = key.integer();
    if (!index || *index < 0 || static_cast<std::uint64_t>(*index) >= names.size()) {
      return ir::OptimiserState{};
    }
    ir::OptimiserSlot slot{.parameter = names[static_cast<std::size_t>(*index)]};
    for (const auto& [what, item] : value.entries()) {
      if (what.raw() == "step" && !TorchArchive::is_tensor(item)) {
        slot.step = item.integer() ? static_cast<double>(*item.integer()) : item.real().value_or(0);
      } else if (TorchArchive::is_tensor(item)) {
        auto tensor = archive.tensor(item);
        if (!tensor) return tensor.error();
        if (what.raw() != "step") {
          slot.tensors.emplace_back(what.raw(), *std::move(tensor));
        } else if (tensor->size() == 1) {
          slot.step = tensor->at(0);
        }
      }
    }
    found[static_cast<std::size_t>(*index)] = std::move(slot);
  }
  ir::OptimiserState out;
  for (auto& slot : found) {
    if (slot) out.push_back(*std::move(slot));
  }
  return out;
}

// The value of a key as a dictionary; empty if absent or no dictionary.
Result<Dict> read_dict(TorchArchive& archive, const Object* object) {
  if (!object) return Dict{};
  auto value = archive.value(*object);
  if (!value) return value.error();
  if (Dict* dict = value->get<Dict>()) return std::move(*dict);
  return Dict{};
}

const Object* first_item(const Object* list) {
  return list && !list->items().empty() ? &list->items()[0] : nullptr;
}

std::int64_t further_items(const Object* list) {
  return list ? std::max<std::int64_t>(0, std::ssize(list->items()) - 1) : 0;
}

void drop_key(Dict& dict, std::string_view key) {
  std::erase_if(dict, [&](const auto& entry) { return entry.first == key; });
}

// A whole number, however the trainer kept it: an int, a float, a tensor or NumPy's.
std::optional<std::int64_t> whole_number(TorchArchive& archive, const Object& object) {
  const Result<ir::Value> value = archive.value(object);
  if (!value) return std::nullopt;
  if (value->is<std::int64_t>()) return value->as_int();
  double number = std::numeric_limits<double>::quiet_NaN();
  if (value->is_number()) number = value->as_number();
  if (const auto* tensor = value->get<ir::Tensor>(); tensor && tensor->size() == 1) {
    number = tensor->at(0);
  }
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!(std::abs(number) <= kExact) || number != std::trunc(number)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

// The epoch and the step, or the reason why there are none.
void read_counts(TorchArchive& archive, const Object& root, Checkpoint& out) {
  for (const auto& [key, to] : {std::pair<const char*, std::int64_t*>{"epoch", &out.epoch},
                                {"global_step", &out.global_step}}) {
    const Object* object = root.find(key);
    const auto number = object ? whole_number(archive, *object) : std::nullopt;
    if (number) {
      *to = *number;
    } else if (out.no_position.empty()) {
      out.no_position = object ? fmt::format("its '{}' is no whole number", key)
                               : fmt::format("it has no '{}'", key);
    }
  }
}

// A counter such as loops.fit_loop["epoch_progress"]["current"]["ready"].
std::optional<std::int64_t> counter(const Object& loop, std::string_view progress,
                                    std::string_view part, std::string_view name) {
  const Object* at = loop.find(progress);
  for (const std::string_view key : {part, name}) at = at ? at->find(key) : nullptr;
  return at ? at->integer() : std::nullopt;
}

// Where training stood, from the state of Lightning's loops. A checkpoint written after a batch
// counts it as processed, but not yet as completed.
void read_progress(const Object& root, Checkpoint& out) {
  constexpr std::string_view kBatches = "epoch_loop.batch_progress";
  const Object* loops = root.find("loops");
  const Object* fit = loops ? loops->find("fit_loop") : nullptr;
  const Object* batches = fit ? fit->find(kBatches) : nullptr;
  if (!batches) return;
  out.batches = counter(*fit, kBatches, "total", "processed").value_or(-1);
  const auto ready = counter(*fit, "epoch_progress", "current", "ready");
  const auto completed = counter(*fit, "epoch_progress", "current", "completed");
  if (ready && ready == completed && *ready > 0) {
    // Saved between epochs, after the fit: `epoch` already names the next one.
    out.epoch = *ready - 1;
    return;
  }
  const Object* last = batches->find("is_last_batch");
  if (last && last->boolean().value_or(false)) return;
  out.batches_in_epoch = counter(*fit, kBatches, "current", "processed").value_or(-1);
}

// The settings of the optimiser, group by group.
Status read_groups(TorchArchive& archive, const Object& optimiser, Checkpoint& out) {
  const Object* groups = optimiser.find("param_groups");
  if (!groups) return std::monostate{};
  for (const Object& group : groups->items()) {
    if (const Object* parameters = group.find("params")) {
      out.optimiser_parameters += std::ssize(parameters->items());
    }
    auto options = read_dict(archive, &group);
    if (!options) return options.error();
    drop_key(*options, "params");
    if (&group == &groups->items()[0]) {
      out.optimiser_options = *std::move(options);
    } else {
      out.further_groups.push_back(*std::move(options));
    }
  }
  return std::monostate{};
}

Result<Checkpoint> read_lightning(TorchArchive& archive, const std::string& file_name) {
  const Object& root = archive.root();
  const Object* state = root.find("state_dict");
  if (!state || !state->is_mapping()) {
    return ReadError{"a Lightning checkpoint without 'state_dict'", {.file = file_name}};
  }
  Checkpoint out;
  read_counts(archive, root, out);
  read_progress(root, out);
  if (Status read = read_state(archive, *state, out); !read) return read.error();
  out.state = without_wrapper(std::move(out.state));
  out.unread = without_wrapper(std::move(out.unread));

  if (const Object* optimiser = first_item(root.find("optimizer_states"))) {
    auto slots = read_optimiser(archive, *optimiser, optimiser_names(root, out.state));
    if (!slots) return slots.error();
    out.optimiser = *std::move(slots);
    const Status groups = read_groups(archive, *optimiser, out);
    if (!groups) return groups.error();
  }
  out.further_optimisers = further_items(root.find("optimizer_states"));
  out.further_schedulers = further_items(root.find("lr_schedulers"));
  const std::pair<const Object*, Dict*> sections[] = {
      {first_item(root.find("lr_schedulers")), &out.scheduler},
      {root.find("callbacks"), &out.callbacks},
      {root.find("hyper_parameters"), &out.hyper_parameters},
      {root.find("mase"), &out.mase},
  };
  for (const auto& [object, to] : sections) {
    auto dict = read_dict(archive, object);
    if (!dict) return dict.error();
    *to = *std::move(dict);
  }
  drop_key(out.mase, kOptimiserParameters);
  return out;
}

Result<Checkpoint> read_plain(TorchArchive& archive) {
  const Object& root = archive.root();
  const Object* inner = root.find("state_dict");
  Checkpoint out;
  out.no_position = "it holds weights only";
  const Object& state = inner && inner->is_mapping() ? *inner : root;
  if (Status read = read_state(archive, state, out); !read) return read.error();
  return out;
}

Result<Checkpoint> read_kind(CheckpointKind kind, const Bytes& bytes,
                             std::optional<TorchArchive>& archive, const std::string& file_name) {
  const Location where{.file = file_name};
  switch (kind) {
    case CheckpointKind::Lightning:
      return read_lightning(*archive, file_name);
    case CheckpointKind::StateDict:
      return read_plain(*archive);
    case CheckpointKind::SafeTensors: {
      auto file = parse_safetensors(bytes.bytes, file_name);
      if (!file) return file.error();
      return Checkpoint{.state = std::move(file->tensors)};
    }
    case CheckpointKind::MaseGraph:
      return ReadError{"a MASE graph (.mz), not a checkpoint of parameters; load it as mz", where};
    case CheckpointKind::PickledMz:
      break;
  }
  return ReadError{fmt::format("a graph pickled by the original MASE: it is Python code, which is "
                               "never run here; {}",
                               kWayOut),
                   where};
}

}  // namespace

Result<CheckpointKind> detect_checkpoint(const std::filesystem::path& path) {
  const auto file = load_file(path);
  if (!file) return file.error();
  std::optional<TorchArchive> archive;
  return open_archive(*file, path.string(), archive);
}

Result<Checkpoint> parse_checkpoint(const Bytes& bytes, const std::string& file_name) {
  std::optional<TorchArchive> archive;
  const auto kind = open_archive(bytes, file_name, archive);
  if (!kind) return kind.error();
  auto read = read_kind(*kind, bytes, archive, file_name);
  if (read) read->kind = *kind;
  return read;
}

Result<Checkpoint> read_checkpoint(const std::filesystem::path& path) {
  auto file = load_file(path);
  if (!file) return file.error();
  return parse_checkpoint(*file, path.string());
}

}  // namespace mase::io
