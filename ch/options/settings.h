#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ch/options/command_line.h"
#include "ch/options/option.h"
#include "mase/io/text/toml.h"
#include "mase/support/diagnostics.h"

namespace ch {

// One option of a run: what it would be, what the file says, what was typed, what holds.
struct Setting {
  const Option* option = nullptr;
  std::optional<mase::ir::Value> file;
  std::optional<mase::ir::Value> manual;  // given on the command line, even if equal to the default
  mase::ir::Value standard;
  std::optional<mase::ir::Value> adjusted;  // what holds instead, where a warning says so
  mase::Location where;                     // of the file's value
  // Of ch sweep, where there are several: what was typed, or else [sweep] of the file. `manual` or
  // `file` is the first of them.
  std::vector<mase::ir::Value> values = {};

  const mase::ir::Value& effective() const;
};

// The options of a run after merging: default < configuration file < command line.
class Settings {
 public:
  Settings();  // all defaults

  const std::vector<Setting>& all() const { return settings_; }
  Setting& at(std::string_view dest);
  const Setting& at(std::string_view dest) const;

  const mase::ir::Value& value(std::string_view dest) const { return at(dest).effective(); }
  bool has(std::string_view dest) const { return !value(dest).is_none(); }
  bool flag(std::string_view dest) const { return value(dest).as_bool(); }
  std::int64_t integer(std::string_view dest) const { return value(dest).as_int(); }
  double number(std::string_view dest) const { return value(dest).as_number(); }
  const std::string& text(std::string_view dest) const { return value(dest).as_text(); }
  std::string text_or(std::string_view dest, std::string_view otherwise) const;

  void apply(const CommandLine& line);
  // The top level of a configuration file. Unknown keys and wrong values go to `diagnostics`, files
  // that are not there to missing(), keys without a function here to warnings().
  void apply(const mase::io::TomlNode& file, mase::Diagnostics& diagnostics);
  // Settles what merging leaves open: values that mean "none". Call last.
  void settle();

  // The values of a setting: those of a list, or the one that holds; none where it is open.
  std::vector<mase::ir::Value> values_of(std::string_view dest) const;

  bool has_file() const { return has_file_; }
  // Keys of the configuration file that name files that are not there.
  const mase::Diagnostics& missing() const { return missing_; }
  // Log lines at level warning, once a log exists.
  const std::vector<std::string>& warnings() const { return warnings_; }
  void warn(std::string text) { warnings_.push_back(std::move(text)); }

  // Name and effective value of every setting of a run, in the order of the rows.
  mase::ir::Dict values() const;

 private:
  void apply_key(const std::string& key, const mase::io::TomlNode& node,
                 mase::Diagnostics& diagnostics);

  std::vector<Setting> settings_;
  std::vector<std::string> warnings_;
  mase::Diagnostics missing_;
  bool has_file_ = false;
};

}  // namespace ch
