// The argument table of MASE: style "pretty", cells wrapped at 24 characters.
#include "ch/options/argument_table.h"

#include "mase/support/printable.h"
#include "mase/support/table.h"
#include "mase/support/terminal.h"

namespace ch {

std::string argument_table(const Settings& settings, bool colour, unsigned actions) {
  // The values of a sweep in place of the first of them.
  const auto all_of = [](const Setting& setting, const mase::ir::Value& value) {
    std::string text;
    for (const mase::ir::Value& item : setting.values) {
      text += (text.empty() ? "" : ",") + shown(item);
    }
    return mase::printable(text.empty() ? shown(value) : text);
  };
  const auto overridden = [&](const std::string& text, bool by_another) {
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
    std::vector<mase::Cell> row = {std::string(option.dest()),
                                   overridden(shown(setting.standard), typed || setting.file)};
    if (settings.has_file()) {
      const std::string text = !setting.file ? ""
                               : typed       ? mase::printable(shown(*setting.file))
                                             : all_of(setting, *setting.file);
      row.emplace_back(overridden(text, typed));
    }
    row.emplace_back(typed ? all_of(setting, *setting.manual) : "");
    row.emplace_back(all_of(setting, setting.effective()));
    rows.push_back(std::move(row));
  }
  return mase::format_table(headers, rows,
                            {.style = mase::TableStyle::Pretty,
                             .align = {mase::Align::Left},
                             .max_width = 24,
                             .painted = true});
}

}  // namespace ch
