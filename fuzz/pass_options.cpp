// Tables of passes ([passes.<name>]) against the rows of every pass: options of the rows' types and
// within their bounds, or problems.
#include <algorithm>
#include <cmath>

#include "fuzz/harness.h"
#include "mase/io/text/toml.h"
#include "mase/passes/pass.h"

namespace {

using namespace mase;

void check_item(const Field& row, const ir::Value& value) {
  if (const auto* list = value.get<ir::List>()) {
    for (const ir::Value& item : *list) check_item(row, item);
  }
  if (value.is_number()) {
    const double number = value.as_number();
    fuzz::require(std::isfinite(number), "a finite number");
    fuzz::require(!row.low || number >= *row.low, "not below the lowest");
    fuzz::require(!row.high || number <= *row.high, "not above the highest");
  }
  if (const auto* text = value.get<std::string>(); text && !row.choices.empty()) {
    fuzz::require(std::count(row.choices.begin(), row.choices.end(), *text) > 0, "a choice");
  }
}

void check(const passes::Pass& pass, const passes::Options& options) {
  for (const Field& row : pass.options) {
    const ir::Value* value = options.find(row.name);
    if (row.name != "*" && value != nullptr) check_item(row, *value);
  }
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  const auto file = io::parse_toml(fuzz::text_of(bytes), "input.toml");
  if (!file) return;
  const ir::Dict given = file->to_value().as_dict();
  for (const passes::Pass* pass : passes::passes()) {
    fuzz::passes([&] {
      Diagnostics diagnostics;
      const auto options = passes::check_options(*pass, given, {.file = "input.toml"}, diagnostics);
      if (diagnostics.empty()) check(*pass, options);
    });
  }
}
