#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/support/result.h"

namespace mase::io {

// Takes consecutive pieces of a table, row-major [n, wanted columns] and n >= 1, beginning at row
// `first` (from 0). An error ends the reading and becomes its result.
using RowSink = std::function<Status(std::int64_t first, std::span<const double> values)>;

// The texts that the cells of a column may hold, each with a number it becomes: classes. Several
// texts may become the same number.
class Categories {
 public:
  void add(std::string text, std::int64_t number);

  // The number of a cell, or -1 if it is none of the texts. A cell that is a number is compared by
  // value with those texts that are numbers themselves ("1" is 1.0); where none of them is, it
  // counts as the number to become, if a text becomes it.
  std::int64_t of(std::string_view cell) const;
  std::int64_t of(double cell) const;

  std::string text() const;  // "g, q, w": for messages

 private:
  struct Category {
    std::string text;
    std::int64_t number = 0;
    std::optional<double> value;  // of a text that is a number
  };
  std::vector<Category> categories_;
  bool has_values_ = false;
};

// A file that holds a table of numbers in named columns. A matrix of k columns that has one name X
// counts as the columns X[0] to X[k-1]. Reading goes through the rows once, in
// order, in pieces of a few megabytes, so that a table larger than memory can be worked through.
class Table {
 public:
  virtual ~Table() = default;

  const std::vector<std::string>& columns() const { return columns_; }
  // -1 when only reading tells (CSV).
  std::int64_t rows() const { return rows_; }

  // From now on the cells of this column are read as one of these, and become their numbers.
  void categorise(std::size_t column, Categories categories);

  // `wanted` are indices into columns(), each at most once. Any numeric type becomes double; texts
  // can be read where categorise() was called for their column. Columns that are not wanted may
  // hold anything.
  virtual Status read(std::span<const std::size_t> wanted, const RowSink& sink) = 0;
  // Where a row lies, for messages; valid for the rows of the piece the sink holds.
  virtual Location where(std::int64_t row) const;

 protected:
  explicit Table(const std::filesystem::path& path) : path_(path) {}
  ReadError error(std::string message) const;
  const Categories* categories(std::size_t column) const;  // null if it holds numbers
  // That a cell, as it is shown, is none of the column's categories.
  ReadError no_category(std::size_t column, std::int64_t row, std::string_view cell) const;
  // Replaces the numbers of a column of categories, one every `step` values, from row `first` on.
  Status categorise_numbers(std::size_t column, std::int64_t first, std::span<double> values,
                            std::size_t step) const;

  std::filesystem::path path_;
  std::vector<std::string> columns_;
  std::int64_t rows_ = -1;

 private:
  std::map<std::size_t, Categories> categories_;
};

// Text of a file for a message: its beginning, control characters as "\\x1b".
std::string brief(std::string_view text);

}  // namespace mase::io
