// Configuration files: the top level goes to the settings, [passes.*] to the pass table.
#include "ch/options/config_file.h"

#include <fmt/format.h>

#include <filesystem>

#include "mase/passes/plugin.h"
#include "mase/support/installation.h"
#include "mase/support/paths.h"
#include "mase/support/suggest.h"

namespace ch {

namespace fs = std::filesystem;
using mase::Diagnostics;
using mase::Error;
using mase::ErrorKind;
using mase::io::TomlNode;

namespace {

// Messages name the file as a person would: from the working directory if it lies inside.
std::string display_name(const std::string& path) {
  const std::string relative = mase::path_from_here(path).string();
  return relative.starts_with("..") ? path : relative;
}

void collect_places(const TomlNode& table, const std::string& prefix,
                    mase::ir::Named<mase::Location>& places) {
  for (const auto& [key, node] : table.table) {
    const std::string dotted = prefix.empty() ? key : fmt::format("{}.{}", prefix, key);
    places.emplace_back(dotted, node.where);
    collect_places(node, dotted, places);
  }
}

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const mase::passes::Pass* pass : mase::passes::passes()) names.emplace_back(pass->name);
  return names;
}

}  // namespace

TomlNode read_config(const std::string& path, Settings& settings, Diagnostics& diagnostics) {
  const std::string name = display_name(mase::find_shared(path).string());
  if (!path.ends_with(".toml")) {
    mase::usage_error(fmt::format("expected .toml configuration file, got '{}'", name));
  }
  mase::Result<TomlNode> file = mase::io::read_toml(name);
  if (!file) {
    // A file that can be read but is no TOML is a mistake of its author.
    const mase::ReadError& error = file.error();
    throw Error(error.where.line > 0 ? ErrorKind::Usage : ErrorKind::Unreadable, error.message,
                error.where);
  }
  settings.apply(*file, diagnostics);
  return std::move(file).or_throw();
}

void load_plugins(const Settings& settings) {
  const Setting& setting = settings.at("plugins");
  if (setting.effective().is_none()) return;
  const bool typed = setting.manual.has_value();
  if (!typed && !settings.flag("trust")) {
    mase::usage_error(fmt::format("the plug-ins that the configuration names are code, and are not "
                                  "loaded unasked: {}",
                                  mase::ir::repr(setting.effective())),
                      setting.where,
                      "--trust loads them, --plugin FILE.so those that you name instead");
  }
  for (const mase::ir::Value& item : setting.effective().as_list()) {
    fs::path path = item.as_text();
    std::error_code error;
    const fs::path beside = fs::path(setting.where.file).parent_path() / path;
    if (!typed && !fs::exists(path, error) && fs::exists(beside, error)) path = beside;
    mase::passes::load_plugin(path);
  }
}

std::vector<PlannedPass> planned_passes(const TomlNode& file, Diagnostics& diagnostics) {
  std::vector<PlannedPass> plan;
  const TomlNode* passes = file.find(kPassesKey);
  if (!passes) return plan;
  for (const auto& [name, table] : passes->table) {
    const mase::passes::Pass* pass = mase::passes::find_pass(name);
    if (!pass) {
      const std::string near = mase::did_you_mean(name, pass_names());
      diagnostics.add(fmt::format("unknown pass '{}'", name), table.where,
                      near.empty() ? "`ch info passes` lists them" : near);
      continue;
    }
    if (!table.is_table) {
      diagnostics.add(fmt::format("'{}' must be a table of the pass's options", name), table.where,
                      fmt::format("write [passes.{}]", name));
      continue;
    }
    mase::ir::Named<mase::Location> places;
    collect_places(table, "", places);
    const mase::ir::Value given = table.to_value();
    plan.push_back({pass, mase::passes::check_options(*pass, given.as_dict(), table.where,
                                                      diagnostics, places)});
  }
  return plan;
}

}  // namespace ch
