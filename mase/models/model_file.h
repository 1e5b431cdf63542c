#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mase/data/dataset.h"
#include "mase/ir/graph.h"
#include "mase/ops/op.h"
#include "mase/support/error.h"

// A network as a TOML file: a chain of layers in one container.
//
//   name = "jsc-10x"              optional: the file's name
//   class = "JSC_10x"             optional: shown in the model summary
//   summary = "..."               optional: one line for `ch info models`
//   container = "seq_blocks"      optional: layers are <container>.0, <container>.1, ...
//   layers = ["BatchNorm1d(16)", "ReLU()", "Linear(16, 5)"]
namespace mase::models {

struct LayerLine {
  ops::LayerText layer;
  Location where;  // of the text in the file
};

struct ModelFile {
  std::string name;
  std::string class_name;
  std::string summary;
  std::string container = "seq_blocks";
  std::vector<LayerLine> layers;
};

// Throws Error{Unreadable} for what is no TOML, and one Error{Usage} with all other problems.
ModelFile parse_model_file(std::string_view text, const std::string& file_name);
ModelFile load_model_file(const std::filesystem::path& path);

// The graph, its shapes checked against the data as fit_to_data does; problems point at the layer.
ir::Graph build(const ModelFile& file, const data::Info& info, std::uint64_t seed);

// Types the input of a network for samples of this data. Throws Error{Usage} if it cannot read them
// or does not give one value per class. Data without a sample shape (Info{}) fits every network and
// leaves the type open.
void fit_to_data(ir::Graph& graph, const data::Info& info);

}  // namespace mase::models
