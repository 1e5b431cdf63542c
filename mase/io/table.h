#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/support/result.h"

namespace mase::io {

// Takes consecutive pieces of a table, row-major [n, wanted columns] and n >= 1, beginning at row
// `first` (from 0). An error ends the reading and becomes its result.
using RowSink = std::function<Status(std::int64_t first, std::span<const double> values)>;

// A file that holds a table of numbers in named columns. Reading goes through the rows once, in
// order, in pieces of a few megabytes, so that a table larger than memory can be worked through.
class Table {
 public:
  virtual ~Table() = default;

  const std::vector<std::string>& columns() const { return columns_; }
  // -1 when only reading tells (CSV).
  std::int64_t rows() const { return rows_; }

  // `wanted` are indices into columns(). Any numeric type becomes double.
  virtual Status read(std::span<const std::size_t> wanted, const RowSink& sink) = 0;
  // Where a row lies, for messages; valid for the rows of the piece the sink holds.
  virtual Location where(std::int64_t row) const;

 protected:
  explicit Table(const std::filesystem::path& path) : path_(path) {}
  ReadError error(std::string message) const;

  std::filesystem::path path_;
  std::vector<std::string> columns_;
  std::int64_t rows_ = -1;
};

}  // namespace mase::io
