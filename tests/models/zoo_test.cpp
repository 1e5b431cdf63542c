// What must hold for every network of the zoo, and how networks are found by name.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "infos.h"
#include "mase/models/model.h"
#include "mase/ops/op.h"
#include "mase/support/error.h"

namespace mase::models {
namespace {

data::Info shown_info(const ModelRow& row) {
  if (row.shown_with == "jsc") return jsc_info();
  return row.shown_with == "mnist" ? mnist_info() : toy_tiny_info();
}

class EveryModel : public testing::TestWithParam<const ModelRow*> {};

TEST_P(EveryModel, BuildsAGraphThatFitsItsData) {
  const ModelRow& row = *GetParam();
  EXPECT_EQ(find_model(row.name), &row);
  EXPECT_FALSE(row.summary.empty());
  const ir::Graph graph = build(row.name, shown_info(row));
  EXPECT_EQ(graph.name, row.name);
  EXPECT_EQ(graph.class_name, row.class_name);
  EXPECT_EQ(graph.placeholders(), std::vector<std::string>{"x"});
  EXPECT_GT(graph.parameter_count(), 0);
}

TEST_P(EveryModel, TheSeedDecidesTheParameters) {
  const ModelRow& row = *GetParam();
  const ir::Graph a = build(row.name, shown_info(row), {.seed = 3});
  const ir::Graph b = build(row.name, shown_info(row), {.seed = 3});
  const ir::Graph c = build(row.name, shown_info(row), {.seed = 4});
  EXPECT_TRUE(a.state() == b.state());
  EXPECT_FALSE(a.state() == c.state());
}

INSTANTIATE_TEST_SUITE_P(Zoo, EveryModel, testing::ValuesIn(models().begin(), models().end()),
                         [](const auto& info) {
                           std::string name(info.param->name);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Zoo, IsSortedByName) {
  EXPECT_TRUE(
      std::is_sorted(models().begin(), models().end(),
                     [](const ModelRow* a, const ModelRow* b) { return a->name < b->name; }));
}

std::int64_t count(std::string_view name, const data::Info& info) {
  return find_model(name)->build(info, 0).parameter_count();
}

TEST(Zoo, ParameterCountsAreThoseOfTheOriginal) {
  EXPECT_EQ(count("jsc-tiny", jsc_info()), 117);
  EXPECT_EQ(count("jsc-toy", jsc_info()), 327);
  EXPECT_EQ(count("jsc-s", jsc_info()), 5615);
  EXPECT_EQ(count("jsc-trt", jsc_info()), 3231);
  EXPECT_EQ(count("toy", toy_tiny_info()), 130);
  EXPECT_EQ(count("toy", mnist_info()), 6442);
  EXPECT_EQ(count("toy", cifar10_info()), 24746);
  EXPECT_EQ(count("toy_tiny", toy_tiny_info()), 16);
  EXPECT_EQ(count("toy_tiny", mnist_info()), 1600);
  EXPECT_EQ(count("toy_tiny", cifar10_info()), 6176);
  EXPECT_EQ(count("lfc", mnist_info()), 402974);
}

// Not a network of the original: the counts are those commonly quoted for it.
TEST(Zoo, Lenet5FollowsTheImage) {
  EXPECT_EQ(count("lenet5", mnist_info()), 44426);
  EXPECT_EQ(count("lenet5", cifar10_info()), 62006);
  EXPECT_EQ(count("lenet5", image_info("small", {1, 16, 17}, 4)), 15116);
}

TEST(Zoo, ModelFilesThatComeAlongHaveTheirCounts) {
  EXPECT_EQ(build("jsc-10x", jsc_info()).parameter_count(), 3363);
  EXPECT_EQ(build("jsc-test", jsc_info()).parameter_count(), 11015);
  EXPECT_EQ(build("jsc-1k", jsc_info()).parameter_count(), 1119);
}

std::string zoo_message(std::string_view name, const data::Info& info,
                        const BuildOptions& options = {}) {
  try {
    build(name, info, options);
  } catch (const Error& error) {
    EXPECT_NE(error.kind(), ErrorKind::Internal);
    return error.what();
  }
  return "";
}

TEST(Zoo, UnknownNamesSuggestTheNearest) {
  EXPECT_EQ(zoo_message("jsc_tony", jsc_info()),
            "Model jsc_tony not found (did you mean 'jsc-tiny' or 'jsc-toy'?)");
  EXPECT_EQ(
      zoo_message("jsc-10", jsc_info()).find("Model jsc-10 not found (did you mean 'jsc-10x'"), 0u);
  EXPECT_NE(zoo_message("resnet", jsc_info()).find("ch info models"), std::string::npos);
}

TEST(Zoo, NetworksThatDoNotFitTheDataAreRefused) {
  EXPECT_EQ(
      zoo_message("jsc-tiny", mnist_info()),
      "node seq_blocks_0: jsc-tiny: BatchNorm1d(16) reads [N, 16] or [N, 16, L], but its input "
      "is [2, 1, 28, 28] on a batch of 2 from 'mnist' (a first layer \"Flatten()\" makes rows of "
      "images)");
  EXPECT_EQ(zoo_message("lenet5", jsc_info()),
            "lenet5 reads images [channels, height, width] of at least 16 x 16 pixels, but samples "
            "of 'jsc' are [16]");
  EXPECT_EQ(zoo_message("toy_tiny", mnist_info()),
            "node relu_1: toy_tiny: the network gives [2, 2] for a batch of 2, but 'mnist' has 10 "
            "classes");
}

// A folder of its own for each test.
class ModelFolder : public testing::Test {
 protected:
  ModelFolder() { std::filesystem::create_directories(folder_); }
  ~ModelFolder() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::ofstream(path) << text;
    return path.string();
  }
  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "models";
};

TEST_F(ModelFolder, FilesAreFoundByPathAndByName) {
  const std::string path = write("mine.toml", "layers = [\"Linear(16, 5)\"]\n");
  EXPECT_EQ(build(path, jsc_info()).parameter_count(), 85);
  const ir::Graph graph = build("mine", jsc_info(), {.model_dir = folder_});
  EXPECT_EQ(graph.name, "mine");
  EXPECT_EQ(graph.nodes()[1].target, "seq_blocks.0");
  EXPECT_EQ(zoo_message("mnie", jsc_info(), {.model_dir = folder_}),
            "Model mnie not found (did you mean 'mine'?)");
}

TEST_F(ModelFolder, TheGivenFolderComesFirst) {
  write("jsc-10x.toml", "layers = [\"Linear(16, 5)\"]\n");
  EXPECT_EQ(build("jsc-10x", jsc_info(), {.model_dir = folder_}).parameter_count(), 85);
  const auto files = model_files(folder_);
  const auto found = std::find_if(files.begin(), files.end(),
                                  [](const auto& file) { return file.first == "jsc-10x"; });
  ASSERT_NE(found, files.end());
  EXPECT_EQ(found->second, folder_ / "jsc-10x.toml");
}

TEST_F(ModelFolder, MissingFilesAndFoldersAreNamed) {
  EXPECT_NE(zoo_message("no/such.toml", jsc_info()).find("no/such.toml"), std::string::npos);
  EXPECT_NE(zoo_message("x", jsc_info(), {.model_dir = folder_ / "gone"}).find("gone"),
            std::string::npos);
}

}  // namespace
}  // namespace mase::models
