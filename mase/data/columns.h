#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/io/tables/table.h"

// Which columns of a table are the features, and which tell the class.
namespace mase::data {

// What a user says of a table of their own (--columns, [data]). What is left empty is as in the
// table of jets.
struct ColumnMap {
  std::vector<std::string> features = {};
  std::vector<std::string> target = {};  // the column of the class, or one for each class (one-hot)
  std::vector<std::string> classes = {};

  bool empty() const { return features.empty() && target.empty() && classes.empty(); }
};

// The parts of a ColumnMap: a row each, from which the option and the configuration key follow.
struct ColumnKey {
  std::string_view name;  // "features"
  std::string_view help;
  std::vector<std::string> ColumnMap::*list;
};
std::span<const ColumnKey> column_keys();

// What is wrong with a map, a line each; none if it can be used. Writes out the columns of matrices
// in place: "X[0..15]" becomes X[0] to X[15].
std::vector<std::string> expand(ColumnMap& map);

// The map as one line of text for each part: equal for equal maps, "" if nothing is said.
std::string text(const ColumnMap& map);

// How a column or a class may be spelt; the first spelling is its name.
using Spellings = std::vector<std::string>;

// What a table has to hold.
struct Wanted {
  std::vector<Spellings> features;
  std::vector<Spellings> one_hot;  // a column for each class; none if only `label` will do
  Spellings label;                 // or one column with the class; none if only `one_hot` will do
  std::vector<Spellings> classes;  // what that column may hold, besides 0, 1, 2, ...
  // Whether matrices X and y will do whose columns are in the order of `features` and `classes`.
  bool by_position = false;
};

// Where a table holds it.
struct Selection {
  std::vector<std::size_t> columns;  // the features, then the label or the one-hot columns
  std::size_t features = 0;
  bool one_hot = false;

  std::size_t labels() const { return columns.size() - features; }
};

// Finds the columns, and has the table read the label as classes. Throws Error{Unreadable} that
// names every column that is missing (with the nearest there is) or there twice (with both places);
// one sentence if nothing of what is wanted is there.
Selection select(io::Table& table, const Wanted& wanted);

}  // namespace mase::data
