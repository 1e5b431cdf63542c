// The argument table of MASE: style "pretty", cells wrapped at 24 characters.
#include "ch/options/argument_table.h"

#include "mase/support/table.h"
#include "mase/support/terminal.h"

namespace ch {

std::string argument_table(const Settings& settings, bool colour, unsigned actions) {
  const auto overridden = [&](const mase::ir::Value& value, bool by_another) {
    std::string text = shown(value);
    return by_another && colour ? mase::paint(text, mase::ansi::kGrey) : text;
  };
  std::vector<std::string> headers = {"Name", "Default"};
  if (settings.has_file()) headers.emplace_back("Config. File");
  headers.insert(headers.end(), {"Manual Override", "Effective"});

  std::vector<std::vector<mase::Cell>> rows;
  for (const Setting& setting : settings.all()) {
    const Option& option = *setting.option;
    if (!option.in_table || (option.beyond_mase && !(option.used_by & actions))) continue;
    const bool typed = setting.manual.has_value();
    std::vector<mase::Cell> row = {std::string(option.dest),
                                   overridden(option.standard, typed || setting.file)};
    if (settings.has_file()) {
      row.emplace_back(setting.file ? overridden(*setting.file, typed) : "");
    }
    row.emplace_back(typed ? shown(*setting.manual) : "");
    row.emplace_back(shown(setting.effective()));
    rows.push_back(std::move(row));
  }
  return mase::format_table(
      headers, rows,
      {.style = mase::TableStyle::Pretty, .align = {mase::Align::Left}, .max_width = 24});
}

}  // namespace ch
