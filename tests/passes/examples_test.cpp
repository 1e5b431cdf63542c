// The configurations that are shipped as examples hold.
#include <gtest/gtest.h>

#include "mase/io/toml.h"
#include "mase/passes/pass.h"

namespace mase::passes {
namespace {

void collect_places(const io::TomlNode& table, const std::string& prefix,
                    ir::Named<Location>& out) {
  for (const auto& [key, node] : table.table) {
    out.emplace_back(prefix + key, node.where);
    collect_places(node, prefix + key + ".", out);
  }
}

TEST(Examples, PassesOfShippedConfigurationsAreSound) {
  int files = 0;
  const auto folder = std::filesystem::path(MASE_SOURCE_DIR) / "configs/examples";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ++files;
    const io::TomlNode file = io::read_toml(entry.path()).or_throw();
    const io::TomlNode* passes = file.find("passes");
    ASSERT_NE(passes, nullptr) << entry.path();
    for (const auto& [name, table] : passes->table) {
      const Pass* pass = find_pass(name);
      ASSERT_NE(pass, nullptr) << entry.path() << " " << name;
      ir::Named<Location> places;
      collect_places(table, "", places);
      Diagnostics diagnostics;
      check_options(*pass, table.to_value().as_dict(), table.where, diagnostics, places);
      for (const Problem& problem : diagnostics.problems()) ADD_FAILURE() << problem.text();
    }
  }
  EXPECT_GE(files, 2);
}

}  // namespace
}  // namespace mase::passes
