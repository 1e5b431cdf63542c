#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mase/io/tables/hdf5_contents.h"
#include "mase/io/tables/hdf5_layout.h"

// How pandas' DataFrame.to_hdf stores frames.
namespace mase::io::hdf5 {

// Format "table": the names of the columns that a member `values_block_N` of the dataset holds.
std::optional<std::vector<std::string>> pandas_block_names(hid_t dataset,
                                                           const std::string& member);

// Whether a member holds categories: numbers that stand for texts or numbers kept elsewhere.
bool is_pandas_category(hid_t dataset, const std::string& member);
// What they stand for, at most kMostCategories: of the member of the table at `path`.
inline constexpr std::size_t kMostCategories = 1 << 16;
Result<Codes> pandas_categories(const File& file, const std::string& path,
                                const std::string& member);

// Format "fixed": a group with the attribute pandas_type = "frame", block by block.
Result<Layout> pandas_fixed_layout(const File& file, const Group& group);

// A pickled list of texts and whole numbers in the text protocol (0), as PyTables keeps attributes:
// "(lp0\nVj_mass\np1\na." is j_mass. Nullopt for anything else.
std::optional<std::vector<std::string>> parse_pickled_names(std::string_view pickle);

}  // namespace mase::io::hdf5
