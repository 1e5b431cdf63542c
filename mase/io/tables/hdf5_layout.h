#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mase/io/tables/hdf5_contents.h"
#include "mase/io/tables/hdf5_storage.h"
#include "mase/io/tables/hdf5_types.h"

// Where the columns of a table lie in an HDF5 file.
namespace mase::io::hdf5 {

// A dataset whose rows are rows of the table.
struct Source {
  std::string path;
  Storage storage;
};

// What the whole numbers of a column stand for, counted from 0; one of the two is empty.
struct Codes {
  std::vector<std::string> texts;
  std::vector<double> numbers;

  std::size_t size() const { return std::max(texts.size(), numbers.size()); }
};

struct Column {
  std::string name;
  std::size_t source = 0;   // index into Layout::sources
  int member = -1;          // of the dataset's compound type; -1: it has plain elements
  std::size_t element = 0;  // within the row
  std::size_t offset = 0;   // bytes from the start of the member or element, in native form
  Native kind = Native::None;
  std::size_t size = 0;    // bytes
  std::string unreadable;  // why, of a column that is there and cannot be read
  std::optional<Codes> codes = {};
};

struct Layout {
  std::uint64_t rows = 0;
  std::vector<Source> sources;
  std::vector<Column> columns;
};

// Adds the columns of a dataset: the members of a compound type, else the elements of a row.
// `names` replaces the names of the columns of a matrix.
Status add_dataset(const File& file, const std::string& path,
                   const std::optional<std::vector<std::string>>& names, Layout& layout);

// The table called `preferred` in the root group or the only one of the file; behind a '/',
// `preferred` is the path of the table itself: a dataset, a group, or several datasets by commas.
Result<Layout> choose_layout(const File& file, std::string_view preferred);

}  // namespace mase::io::hdf5
