// Loads modules with dlopen and checks, before anything of them is used, that they were compiled
// against the same interfaces.
#include "mase/passes/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <system_error>

namespace mase::passes {
namespace {

constexpr const char* kEntry = "mase_plugin";

void check_abi(const PluginAbi& theirs, const Location& where) {
  const PluginAbi ours;
  if (theirs == ours) return;
  usage_error(fmt::format("the plug-in was built for another version of MASE (revision {}, this is "
                          "{}{})",
                          theirs.revision, ours.revision,
                          theirs.revision == ours.revision ? " with other headers" : ""),
              where, "build it again against the installed headers");
}

void check_names(const PluginInfo& info, const Location& where) {
  std::set<std::string_view> seen;
  for (const Pass& pass : info.passes) {
    if (pass.name.empty() || !pass.run) {
      usage_error(fmt::format("plug-in '{}' has a pass without {}", info.name,
                              pass.name.empty() ? "name" : "a run function"),
                  where);
    }
    if (find_pass(pass.name) || !seen.insert(pass.name).second) {
      usage_error(fmt::format("plug-in '{}' brings a pass '{}', but there is one already",
                              info.name, pass.name),
                  where, "give it another name");
    }
  }
}

}  // namespace

const PluginInfo& load_plugin(const std::filesystem::path& path) {
  static std::map<void*, const PluginInfo*> loaded;  // by handle: one per file, however it is named
  const Location where{.file = path.string()};
  std::error_code failed;
  const std::filesystem::path full = std::filesystem::absolute(path, failed);
  if (failed || !std::filesystem::is_regular_file(full, failed)) {
    throw Error(ErrorKind::Unreadable, "there is no such plug-in", where);
  }
  void* handle = dlopen(full.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    throw Error(ErrorKind::Unreadable, fmt::format("the plug-in cannot be loaded: {}", dlerror()),
                where);
  }
  if (const auto known = loaded.find(handle); known != loaded.end()) return *known->second;
  const auto entry = reinterpret_cast<PluginEntry>(dlsym(handle, kEntry));
  if (!entry) {
    dlclose(handle);
    usage_error(fmt::format("no MASE plug-in: it has no function '{}'", kEntry), where,
                "see examples/own_pass");
  }
  const PluginInfo* info = entry();
  if (!info) usage_error(fmt::format("{} of the plug-in gave nothing", kEntry), where);
  check_abi(info->abi, where);
  check_names(*info, where);
  for (const Pass& pass : info->passes) register_plugin_pass(pass);
  loaded.emplace(handle, info);
  return *info;
}

}  // namespace mase::passes
