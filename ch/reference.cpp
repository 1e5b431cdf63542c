// Passes and number formats for people: from their rows.
#include "ch/reference.h"

#include <fmt/format.h>

#include "ch/fitted_table.h"
#include "mase/support/wrap.h"

namespace ch {

namespace numerics = mase::numerics;
namespace passes = mase::passes;

namespace {

std::string paragraph(std::string_view text, int width) {
  std::string out;
  for (const std::string& line : mase::wrap_text(text, static_cast<std::size_t>(width))) {
    out += line + "\n";
  }
  return out;
}

std::vector<mase::Cell> row_of(const mase::Field& field) {
  std::string standard = field.must_be_given() ? "required" : "";
  if (field.standard && !field.standard->is_none()) standard = repr(*field.standard);
  std::string help(field.help);
  if (!field.choices.empty()) help += fmt::format(" (one of {})", fmt::join(field.choices, ", "));
  if (const std::string range = range_text(field); !range.empty()) {
    help += fmt::format(" ({})", range);
  }
  return {std::string(field.name == "*" ? "(others)" : field.name), type_text(field), standard,
          help};
}

}  // namespace

std::string reference_of(const passes::Pass& pass, int width) {
  std::string out = fmt::format("{} ({} pass)\n", pass.name, passes::name(pass.kind));
  out += paragraph(pass.summary, width);
  if (!pass.needs.empty()) {
    out += fmt::format("Needs the results of {}.\n", fmt::join(pass.needs, ", "));
  }
  if (pass.options.empty()) {
    out += fmt::format("\n[passes.{}] takes no keys.\n", pass.name);
  } else {
    std::vector<std::vector<mase::Cell>> rows;
    for (const mase::Field& field : pass.options) rows.push_back(row_of(field));
    out += fmt::format("\nKeys of [passes.{}]:\n", pass.name);
    out += fitted_table({"Key", "Type", "Default", "Meaning"}, rows, width);
  }
  return out + fmt::format("\nExample, for a configuration file:\n\n{}", passes::example(pass));
}

std::string reference_of(const numerics::Format& format, int width) {
  std::string out(format.name);
  if (!format.aliases.empty()) out += fmt::format(" (also {})", fmt::join(format.aliases, ", "));
  out += "\n" + paragraph(format.summary, width);
  std::vector<std::vector<mase::Cell>> rows;
  for (const mase::Field& field : format.fields) rows.push_back(row_of(field));
  out += "\n" + paragraph(
                    "Parameters, each with the prefix of what it is for (data_in_, weight_, bias_, "
                    "data_out_):",
                    width);
  return out + fitted_table({"Parameter", "Type", "Default", "Meaning"}, rows, width);
}

}  // namespace ch
