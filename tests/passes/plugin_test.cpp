#include "mase/passes/plugin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/passes/networks.h"

namespace mase::passes {
namespace {

using testing::HasSubstr;

std::filesystem::path module_file(const std::string& name) {
  return std::filesystem::path(MASE_PLUGINS) / (name + ".so");
}

std::string error_of(const std::filesystem::path& path, ErrorKind kind) {
  try {
    load_plugin(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "";
}

TEST(Plugin, AddsItsPasses) {
  EXPECT_STREQ(load_plugin(module_file("plugin_good")).name, "good");
  const Pass* pass = find_pass("count_nodes");
  ASSERT_NE(pass, nullptr);
  Diagnostics diagnostics;
  const Options options = check_options(*pass, {{"times", 2}}, {}, diagnostics);
  Context context;
  EXPECT_EQ(run_pass(*pass, jsc_tiny(), options, context).info.as_int(), 12);
  // Again, and by another path: the same module.
  const auto detour = std::filesystem::path(MASE_PLUGINS) / "." / "plugin_good.so";
  EXPECT_EQ(&load_plugin(detour), &load_plugin(module_file("plugin_good")));
}

TEST(Plugin, RefusesWhatIsNone) {
  EXPECT_THAT(error_of(module_file("no_such_file"), ErrorKind::Unreadable),
              HasSubstr("no_such_file.so: there is no such plug-in"));
  EXPECT_THAT(error_of(MASE_PLUGINS, ErrorKind::Unreadable), HasSubstr("no such plug-in"));
  const auto text = std::filesystem::path(testing::TempDir()) / "text.so";
  std::ofstream(text) << "no module";
  EXPECT_THAT(error_of(text, ErrorKind::Unreadable), HasSubstr("cannot be loaded"));
  EXPECT_THAT(error_of(module_file("plugin_no_entry"), ErrorKind::Usage),
              HasSubstr("no MASE plug-in: it has no function 'mase_plugin'"));
}

TEST(Plugin, RefusesAnotherVersion) {
  EXPECT_THAT(error_of(module_file("plugin_other_version"), ErrorKind::Usage),
              HasSubstr("built for another version of MASE (revision 999, this is 2)"));
}

TEST(Plugin, RefusesTakenNamesAndIdlePasses) {
  EXPECT_THAT(error_of(module_file("plugin_taken_name"), ErrorKind::Usage),
              HasSubstr("brings a pass 'quantize', but there is one already"));
  EXPECT_EQ(find_pass("fresh"), nullptr);
  EXPECT_THAT(error_of(module_file("plugin_no_run"), ErrorKind::Usage),
              HasSubstr("has a pass without a run function"));
}

}  // namespace
}  // namespace mase::passes
