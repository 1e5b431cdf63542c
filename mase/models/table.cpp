// The list of networks, model files on the search path, and building either by name.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mase/models/model_file.h"
#include "mase/models/rows.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/support/installation.h"
#include "mase/support/paths.h"
#include "mase/support/suggest.h"

namespace mase::models {
namespace {

namespace fs = std::filesystem;

// Sorted by name; a test holds that.
constexpr std::array kModels = {&kJscS,   &kJscTiny, &kJscToy, &kJscTrt,
                                &kLenet5, &kLfc,     &kToy,    &kToyTiny};

// Folders with model files; the first that has a name wins.
std::vector<fs::path> search_path(const fs::path& model_dir) {
  std::vector<fs::path> folders;
  if (!model_dir.empty()) folders.push_back(model_dir);
  folders.emplace_back("configs/models");
  folders.push_back(share_folder() / "configs" / "models");
  return folders;
}

// That the folder a user named, if any, can be looked into.
void check_folder(const fs::path& model_dir) {
  if (model_dir.empty()) return;
  std::error_code code;
  const fs::directory_iterator entries(model_dir, code);
  if (!code) return;
  if (code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory) {
    usage_error(fmt::format("the model folder '{}' does not exist", model_dir.string()));
  }
  throw Error(ErrorKind::Unreadable,
              "the model folder cannot be read: " + system_reason(code.value()),
              {.file = model_dir.string()});
}

void add_files(const fs::path& folder, std::vector<std::pair<std::string, fs::path>>& out) {
  for (const fs::path& path : folder_entries(folder)) {
    if (path.extension() != ".toml" || !is_file(path)) continue;
    const std::string name = path.stem().string();
    const bool taken =
        std::any_of(out.begin(), out.end(), [&](const auto& known) { return known.first == name; });
    if (!taken) out.emplace_back(name, path);
  }
}

}  // namespace

std::span<const ModelRow* const> models() {
  return kModels;
}

const ModelRow* find_model(std::string_view name) {
  const auto found = std::find_if(kModels.begin(), kModels.end(),
                                  [&](const ModelRow* row) { return row->name == name; });
  return found == kModels.end() ? nullptr : *found;
}

std::vector<std::pair<std::string, fs::path>> model_files(const fs::path& model_dir) {
  check_folder(model_dir);
  std::vector<std::pair<std::string, fs::path>> out;
  for (const fs::path& folder : search_path(model_dir)) add_files(folder, out);
  std::sort(out.begin(), out.end());
  return out;
}

ir::Graph build(std::string_view name_or_path, const data::Info& info,
                const BuildOptions& options) {
  if (const ModelRow* row = find_model(name_or_path)) {
    ir::Graph graph = row->build(info, options.seed);
    fit_to_data(graph, info);
    return graph;
  }
  std::error_code ignored;
  const fs::path path(name_or_path);
  if (path.extension() == ".toml" || fs::is_regular_file(path, ignored)) {
    return read_model_file(find_shared(path), info, options.seed);
  }
  std::vector<std::string> known;
  for (const ModelRow* row : kModels) known.emplace_back(row->name);
  for (const auto& [name, file] : model_files(options.model_dir)) {
    if (name == name_or_path) return read_model_file(file, info, options.seed);
    known.push_back(name);
  }
  std::string hint = did_you_mean(name_or_path, known);
  if (hint.empty()) hint = "`ch info models` lists them; the path of a model file works too";
  usage_error(fmt::format("Model {} not found", name_or_path), {}, std::move(hint));
}

}  // namespace mase::models
