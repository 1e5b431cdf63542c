// Ops for people: from their rows, and from what a quantisation may say of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ch/fitted_table.h"
#include "ch/reference.h"
#include "mase/passes/transform/quantize_config.h"
#include "mase/support/wrap.h"

namespace ch {

namespace ops = mase::ops;

namespace {

using Attribute = ops::Attribute;
using Rows = std::vector<std::vector<mase::Cell>>;

std::string_view role_text(ops::Role role) {
  switch (role) {
    case ops::Role::Data:
      return "data";
    case ops::Role::Parameter:
      return "parameter";
    case ops::Role::OptionalParameter:
      return "parameter, may be absent";
    case ops::Role::Buffer:
      return "kept, not trained";
  }
  return "";
}

bool takes_format(const ops::Op& op, std::string_view argument) {
  return std::find(op.quantisable.begin(), op.quantisable.end(), argument) != op.quantisable.end();
}

std::string arguments_table(const ops::Op& op, int width) {
  if (op.arguments.empty()) return "";
  Rows rows;
  for (const ops::Argument& argument : op.arguments) {
    const bool quantised = takes_format(op, argument.name);
    rows.push_back({std::string(argument.name), std::string(role_text(argument.role)),
                    quantised ? fmt::format("{}_...", mase::passes::config_group(op, argument.name))
                              : std::string("none: stays float")});
  }
  return "\nArguments:\n" + fitted_table({"Argument", "Role", "Keys of quantize"}, rows, width);
}

std::string default_text(const Attribute& attribute) {
  if (!attribute.same_as.empty()) return std::string(attribute.same_as);
  if (attribute.field.must_be_given()) return "required";
  return mase::ir::repr(ops::standard_of(attribute));
}

std::string attributes_table(const ops::Op& op, int width) {
  if (op.attributes.empty()) return "";
  Rows rows;
  for (const Attribute& attribute : op.attributes) {
    rows.push_back(
        {std::string(attribute.name()), default_text(attribute), wanted(attribute.field, "None")});
  }
  return "\nAttributes, in this order where they are not named:\n" +
         fitted_table({"Attribute", "Default", "Values"}, rows, width);
}

// A value that goes together with those of the other attributes of any row.
std::string example_value(const mase::Field& field) {
  if (field.type == mase::FieldType::List) return "3";
  const bool reads = field.name.starts_with("in_") || field.name.starts_with("num_");
  const double size = std::max(reads ? 16.0 : 8.0, field.low.value_or(1));
  return fmt::format("{}", std::min(size, field.high.value_or(size)));
}

std::string called_as(const ops::Op& op) {
  std::vector<std::string> forms;
  if (!op.layer.empty()) forms.push_back(fmt::format("the layer {}", op.layer));
  for (const std::string_view function : op.functions) {
    forms.push_back(fmt::format("the function {}", function));
  }
  if (!op.method.empty()) forms.push_back(fmt::format("the method {}", op.method));
  return forms.empty() ? "" : fmt::format("Appears as {}.", fmt::join(forms, ", "));
}

std::string quantise_example(const ops::Op& op) {
  std::vector<std::string_view> groups;
  for (const std::string_view argument : op.quantisable) {
    const std::string_view group = mase::passes::config_group(op, argument);
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  if (groups.empty()) return "";
  std::string out = fmt::format(
      "\nExample of a rule for it, for a configuration file:\n\n[passes.quantize]\nby = \"type\"\n"
      "[passes.quantize.{}.config]\nname = \"integer\"\n",
      op.name);
  for (const std::string_view group : groups) {
    out += fmt::format("{0}_width = 8\n{0}_frac_width = 4\n", group);
  }
  return out;
}

}  // namespace

std::string example_layer(const ops::Op& op) {
  if (op.layer.empty()) return "";
  std::vector<std::string> given;
  for (const Attribute& attribute : op.attributes) {
    if (!attribute.field.must_be_given()) continue;
    given.push_back(fmt::format("{}={}", attribute.name(), example_value(attribute.field)));
  }
  return fmt::format("{}({})", op.layer, fmt::join(given, ", "));
}

std::string reference_of(const ops::Op& op, int width) {
  std::string out = fmt::format("{} ({})\n", op.name, ops::name(op.kind));
  for (const std::string& text : {std::string(op.summary), called_as(op)}) {
    for (const std::string& line : mase::wrap_text(text, static_cast<std::size_t>(width))) {
      out += line + "\n";
    }
  }
  out += arguments_table(op, width) + attributes_table(op, width);
  if (op.quantisable.empty()) out += "\nNo number format can be put on it.\n";
  if (const std::string layer = example_layer(op); !layer.empty()) {
    out += fmt::format("\nExample, for the list of layers of a model file:\n\n\"{}\"\n", layer);
  }
  return out + quantise_example(op);
}

}  // namespace ch
