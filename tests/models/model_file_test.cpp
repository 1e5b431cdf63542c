// Model files: what they may say, and where mistakes are shown.
#include "mase/models/model_file.h"

#include <gtest/gtest.h>

#include "infos.h"

namespace mase::models {
namespace {

std::string message(std::string_view text, const data::Info& info = jsc_info()) {
  try {
    build(parse_model_file(text, "net.toml"), info, 0);
  } catch (const Error& error) {
    EXPECT_NE(error.kind(), ErrorKind::Internal);
    return error.what();
  }
  return "";
}

TEST(ModelFile, ReadsItsKeys) {
  const ModelFile file = parse_model_file(
      "name = \"deep\"\nclass = \"Deep\"\nsummary = \"two layers\"\ncontainer = \"net.body\"\n"
      "layers = [\"Linear(16, 8)\", 'ReLU()',\n  \"Linear(8, 5, bias=False)\"]\n",
      "net.toml");
  EXPECT_EQ(file.summary, "two layers");
  const ir::Graph graph = build(file, jsc_info(), 0);
  EXPECT_EQ(graph.name, "deep");
  EXPECT_EQ(graph.class_name, "Deep");
  EXPECT_EQ(graph.nodes()[3].target, "net.body.2");
  EXPECT_EQ(graph.nodes()[3].name, "net_body_2");
  EXPECT_EQ(graph.parameter_count(), 16 * 8 + 8 + 8 * 5);
}

TEST(ModelFile, NamesDefaultToTheFile) {
  const ModelFile file = parse_model_file("layers = [\"ReLU()\"]", "dir/my-net.toml");
  EXPECT_EQ(file.name, "my-net");
  EXPECT_EQ(file.class_name, "my-net");
  EXPECT_EQ(file.container, "seq_blocks");
}

TEST(ModelFile, ImagesAreFlattenedByALayer) {
  const std::string text = "layers = [\"Flatten()\", \"Linear(784, 10)\"]";
  EXPECT_EQ(build(parse_model_file(text, "net.toml"), mnist_info(), 0).parameter_count(), 7850);
}

TEST(ModelFile, AFlattenedNetworkIsNotToldToFlatten) {
  EXPECT_EQ(message("layers = [\"Flatten()\", \"Linear(700, 10)\"]", mnist_info()),
            "net.toml:1:25: net: Linear reads 700 features per row, but its input is [2, 784] "
            "on a batch of 2 from 'mnist'");
}

TEST(ModelFile, MistakesPointAtTheLayer) {
  EXPECT_EQ(message("layers = [\n  \"BatchNorm1d(16)\",\n  \"Linaer(16, 5)\",\n]\n"),
            "net.toml:3:4: there is no layer 'Linaer' (did you mean 'Linear'?)");
  EXPECT_EQ(
      message("layers = [\"Linear(16, 8)\",\n \"ReLU()\",\n \"Linear(9, 5)\"]\n"),
      "net.toml:3:3: net: Linear reads 9 features per row, but its input is [2, 8] on a batch "
      "of 2 from 'jsc'");
  EXPECT_EQ(
      message("layers = [\"Linear(16, 8)\",\n \"ReLU()\"]\n"),
      "net.toml:2:3: net: the network gives [2, 8] for a batch of 2, but 'jsc' has 5 classes");
  EXPECT_EQ(
      message("layers = [\"Linear(784, 10)\"]", mnist_info()),
      "net.toml:1:12: net: Linear reads 784 features per row, but its input is [2, 1, 28, 28] "
      "on a batch of 2 from 'mnist' (a first layer \"Flatten()\" makes rows of images)");
  EXPECT_EQ(message("layers = [\"Linear(16777216, 16777216)\"]"),
            "net.toml:1:12: weight [16777216, 16777216] of layer seq_blocks.0 is too large");
}

TEST(ModelFile, AllProblemsAreReportedTogether) {
  EXPECT_EQ(message("nmae = \"x\"\nclass = 3\ncontainer = \"a b\"\nlayers = [1, \"Linear(16)\"]\n"),
            "5 problems\n"
            "  net.toml:1:1: a model file has no key 'nmae'; did you mean 'name'?\n"
            "  net.toml:2:1: class must be a text\n"
            "  net.toml:3:1: container must consist of letters, digits, '_' and '.'\n"
            "  net.toml:4:11: a layer must be a text such as \"Linear(16, 5)\"\n"
            "  net.toml:4:15: Linear needs out_features");
  EXPECT_EQ(message("name = \"x\""),
            "net.toml: layers must be a list of 1 to 10000 texts such as \"Linear(16, 5)\"");
}

TEST(ModelFile, WhatIsNoTomlIsUnreadable) {
  try {
    parse_model_file("layers = [", "net.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unreadable);
    EXPECT_EQ(error.where().file, "net.toml");
  }
}

}  // namespace
}  // namespace mase::models
