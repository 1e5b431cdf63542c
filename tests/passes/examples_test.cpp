// The configurations that are shipped as examples hold, and those that the help shows.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "mase/io/text/toml.h"
#include "mase/passes/pass.h"
#include "tests/passes/networks.h"

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

// What `ch help pass` shows to be copied: sound as it stands, and with every key in use.
TEST(Examples, OfEveryPassAreSoundAndRun) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "pass_examples";
  std::filesystem::create_directories(folder);
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  Context context{.folder = folder / "out"};
  ir::Graph graph = jsc_tiny();
  context.dummy_input = {{"x", ir::Tensor({8, 16}, ir::DType::Float32)}};
  context.batches = [&context] {
    return [&context]() -> std::optional<ir::Named<ir::Tensor>> { return context.dummy_input; };
  };
  // Those that others read from come first.
  std::vector<std::string_view> order = {"init_metadata",         "add_common_metadata",
                                         "add_software_metadata", "save_mase_graph",
                                         "save_node_meta_param",  "quantize"};
  for (const Pass* pass : passes()) {
    if (std::find(order.begin(), order.end(), pass->name) == order.end())
      order.push_back(pass->name);
  }
  for (const std::string_view name : order) {
    const Pass& pass = *find_pass(name);
    const std::string text = example(pass);
    for (const bool whole : {false, true}) {
      std::string file = text;
      for (std::size_t i = 0; whole && (i = file.find("\n# ", i)) != std::string::npos;) {
        file.erase(i + 1, 2);
      }
      const auto parsed = io::parse_toml(file, "example");
      ASSERT_TRUE(parsed.ok()) << file;
      const io::TomlNode& table = *parsed->find("passes")->find(name);
      Diagnostics diagnostics;
      const Options options = check_options(pass, table.to_value().as_dict(), {}, diagnostics);
      for (const Problem& problem : diagnostics.problems()) ADD_FAILURE() << file << problem.text();
      if (name.starts_with("load_") || name == "metadata_value_type_cast") {
        run_pass(pass, graph, options, context);  // on a copy: later passes need what is there
      } else if (!(whole && name == "quantize")) {
        graph = run_pass(pass, graph, options, context).graph;
      }
    }
  }
  std::filesystem::current_path(before);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mase::passes
