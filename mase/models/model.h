#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/data/dataset.h"
#include "mase/ir/graph.h"

// Networks: the zoo's builders (one row each) and model files, both of which write graphs with
// freshly initialised parameters.
namespace mase::models {

struct ModelRow {
  std::string_view name;        // "jsc-toy"
  std::string_view class_name;  // "JSC_Toy"
  std::string_view summary;
  // Data the figures of `ch info models` are given for: "jsc", "mnist".
  std::string_view shown_with;
  ir::Graph (*build)(const data::Info& info, std::uint64_t seed) = nullptr;
};

// All networks of the zoo, sorted by name (models/table.cpp).
std::span<const ModelRow* const> models();
const ModelRow* find_model(std::string_view name);

struct BuildOptions {
  std::uint64_t seed = 0;
  std::filesystem::path model_dir = {};  // --model-dir, searched before configs/models and the
                                         // installed folder
};

// By zoo name, by the path of a model file, or by the name of a model file on the search path.
// Throws Error{Usage} "Model <name> not found" with the nearest names of both kinds.
ir::Graph build(std::string_view name_or_path, const data::Info& info,
                const BuildOptions& options = {});

// A model file: a TOML table with `name`, `class`, and `layers`, a list of texts such as
// "Linear(16, 60)". Problems point at the line.
ir::Graph read_model_file(const std::filesystem::path& path, const data::Info& info,
                          std::uint64_t seed);

// Model files found on the search path, by name.
std::vector<std::pair<std::string, std::filesystem::path>> model_files(
    const std::filesystem::path& model_dir = {});

}  // namespace mase::models
