// Which engines there are and which one runs a graph. An engine that needs a large library is a
// shared module beside libmase, loaded when a graph first needs it: linking LibTorch would cost
// every start of the program 200 to 440 ms.
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "mase/engine/engine.h"
#include "mase/engine/math_libraries.h"
#include "mase/engine/native/native_engine.h"
#include "mase/support/error.h"
#include "mase/support/suggest.h"

namespace mase::engine {
namespace {

namespace fs = std::filesystem;

struct EngineRow {
  std::string_view name;
  int priority;                           // "auto" tries the smallest first
  const Engine& (*built_in)() = nullptr;  // part of this library, or:
  std::string_view library = "";          // what a build must have for it, for messages
  std::string_view module = "";           // file of the shared module
};

// Sorted by name; a test holds that.
constexpr std::array kEngines = {
    EngineRow{.name = "native", .priority = 0, .built_in = native::native_engine},
    EngineRow{.name = "torch",
              .priority = 10,
              .library = "LibTorch",
              .module = "libmase_engine_torch.so"},
};

fs::path folder_of_this_library() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&engine_names), &info) == 0 || !info.dli_fname)
    return {};
  std::error_code ignored;
  return fs::weakly_canonical(info.dli_fname, ignored).parent_path();
}

std::vector<fs::path> module_folders() {
  if (const char* named = std::getenv("MASE_ENGINE_DIR"); named && *named) return {named};
  const fs::path here = folder_of_this_library();
  return {here / "mase", here};
}

fs::path find_module(const EngineRow& row) {
  std::error_code ignored;
  for (const fs::path& folder : module_folders()) {
    if (fs::exists(folder / row.module, ignored)) return folder / row.module;
  }
  return {};
}

const Engine& open_module(const EngineRow& row) {
  const fs::path file = find_module(row);
  if (file.empty()) {
    unsupported(fmt::format("this build has no {} engine: {} was not found in {}", row.name,
                            row.module, module_folders().front().string()),
                {},
                fmt::format("install {0} (Debian: libtorch-dev and libopenblas0-pthread) and build "
                            "again with -DMASE_TORCH=ON, or name the folder of {1} in "
                            "MASE_ENGINE_DIR; without it only what the native engine covers runs",
                            row.library, row.module));
  }
  prepare_math_libraries();
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* why = dlerror();
    unsupported(
        fmt::format("the {} engine cannot be loaded: {}", row.name, why ? why : file.c_str()), {},
        fmt::format("it was built for another {}: build again", row.library));
  }
  const auto entry = reinterpret_cast<EngineEntry>(dlsym(handle, "mase_engine"));
  if (!entry) {
    unsupported(fmt::format("{} is no engine: it has no symbol 'mase_engine'", file.string()));
  }
  return *entry();  // the module stays loaded to the end of the process
}

const EngineRow& row_of(std::string_view name) {
  std::vector<std::string> names;
  for (const EngineRow& row : kEngines) {
    if (row.name == name) return row;
    names.emplace_back(row.name);
  }
  std::string hint = did_you_mean(name, names);
  if (hint.empty()) hint = fmt::format("choose from auto, {}", fmt::join(names, ", "));
  usage_error(fmt::format("there is no engine '{}'", name), {}, std::move(hint));
}

}  // namespace

std::vector<std::string_view> engine_names() {
  std::vector<const EngineRow*> rows;
  for (const EngineRow& row : kEngines) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [](const EngineRow* a, const EngineRow* b) {
    return a->priority < b->priority;
  });
  std::vector<std::string_view> names;
  for (const EngineRow* row : rows) names.push_back(row->name);
  return names;
}

const Engine& load_engine(std::string_view name) {
  static std::mutex mutex;
  static std::array<const Engine*, kEngines.size()> loaded{};
  const EngineRow& row = row_of(name);
  const std::lock_guard lock(mutex);
  const Engine*& engine = loaded[static_cast<std::size_t>(&row - kEngines.data())];
  if (!engine) engine = row.built_in ? &row.built_in() : &open_module(row);
  return *engine;
}

Choice choose(const ir::Graph& graph, std::string_view wanted, const ProgramOptions& options) {
  if (wanted != "auto") {
    const Engine& engine = load_engine(wanted);
    const std::string why_not = engine.why_not(graph, options);
    if (!why_not.empty()) unsupported(fmt::format("engine {}: {}", wanted, why_not));
    return {.engine = &engine, .reason = ""};
  }
  std::string reason;
  std::string hint;
  for (std::string_view name : engine_names()) {
    std::string why_not;
    try {
      const Engine& engine = load_engine(name);
      why_not = engine.why_not(graph, options);
      if (why_not.empty()) return {.engine = &engine, .reason = reason};
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Unsupported) throw;
      why_not = error.message();
      hint = error.hint();
    }
    if (!reason.empty()) reason += "; ";
    reason += fmt::format("engine {}: {}", name, why_not);
  }
  unsupported(reason, {}, hint);
}

}  // namespace mase::engine
