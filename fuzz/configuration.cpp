// Configuration files above TOML: the options, [data], [passes] and [sweep]. What is accepted is
// accepted again and lies within the bounds of its row. Plug-ins are not loaded here.
#include "ch/options/config_file.h"

#include "ch/options/sweep_plan.h"
#include "fuzz/harness.h"
#include "mase/ir/field_value.h"

namespace {

void check(const ch::Settings& settings) {
  using mase::fuzz::require;
  for (const ch::Setting& setting : settings.all()) {
    if (!setting.file || setting.file->is_none()) continue;
    const ch::Option& option = *setting.option;
    mase::ir::Value value = *setting.file;
    // What stands in for a refused value is a remark of its own.
    if (!setting.adjusted) require(ch::check_value(option, value).empty(), "accepted twice alike");
    require(value == *setting.file, "an accepted value is in its final form");
    if (option.form == ch::Form::Count || !value.is_number()) continue;
    require(fitted(option.field, mase::ir::field_value(value)).has_value(), "within its bounds");
  }
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  static const fuzz::Folder folder("configuration");
  const auto path = folder.write("input.toml", bytes);
  fuzz::passes([&] {
    ch::Settings settings;
    Diagnostics diagnostics;
    const io::TomlNode file = ch::read_config(path, settings, diagnostics);
    check(settings);
    (void)ch::planned_passes(file, diagnostics);
    const ch::SweepPlan plan = ch::planned_sweep(file, settings, diagnostics);
    for (const ch::Settings& run : plan.runs) check(run);
    settings.settle();
    for (const ch::Setting& setting : settings.all()) {
      const auto* number = setting.effective().get<std::int64_t>();
      const bool positive = setting.option->form == ch::Form::Count;
      fuzz::require(!positive || !number || *number >= 0 || setting.standard == *number,
                    "a positive number, or none");
    }
  });
}
