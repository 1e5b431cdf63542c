#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mase/io/bytes.h"
#include "mase/ir/graph.h"

// NumPy arrays (.npy, format versions 1 to 3) and archives of them (.npz).
namespace mase::io {

// An array as a row-major tensor: Fortran order and big-endian bytes are rearranged. uint16 becomes
// int32, uint32 and uint64 become int64 (a ReadError if a value does not fit). Arrays of texts,
// complex numbers or Python objects are ReadErrors that say so; so is a structured array
// (read_npy_columns).
Result<ir::Tensor> read_npy(const std::filesystem::path& path);
Result<ir::Tensor> parse_npy(std::span<const std::byte> bytes, const std::string& file_name);

// A structured array (dtype with named fields, as tables are saved): each field as a tensor
// [rows, ...]. Fields that are no numbers are left out.
Result<ir::State> read_npy_columns(const std::filesystem::path& path);
Result<ir::State> parse_npy_columns(std::span<const std::byte> bytes, const std::string& file_name);

// Where one column of a table lies in the bytes of an npy file.
struct NpyColumn {
  // Of a field, or "[3]" of a matrix, or both ("field[3]"); "" for a one-dimensional array.
  std::string name;
  std::string problem;  // why it is no column that can be read; "" if it is
  char kind = 'f';      // as NumPy writes it: 'f', 'i', 'u', 'b'; texts are 'U' and 'S'
  std::size_t size = 4;
  bool swap = false;         // big-endian
  std::uint64_t offset = 0;  // of the first row's value in the file
  std::uint64_t stride = 0;  // from row to row
  std::int64_t rows = 0;

  bool is_text() const { return kind == 'U' || kind == 'S'; }
};

// The columns of an array: itself, those of a matrix, or its fields. `start` is the file, or as
// much of it as the header takes (at most kNpyHeaderBytes); `size` that of the whole. An array that
// is no table (a scalar, three dimensions, dates, objects) is one column with a problem.
inline constexpr std::size_t kNpyHeaderBytes = (std::size_t{1} << 20) + 16;
// How many bytes the header takes, by the first kNpyLengthBytes of the file; at most
// kNpyHeaderBytes, also where those are no npy file's.
inline constexpr std::size_t kNpyLengthBytes = 12;
std::size_t npy_header_bytes(std::span<const std::byte> start);
// How many bytes the whole file takes by its header; nothing of Python objects, whose bytes nothing
// announces.
Result<std::optional<std::uint64_t>> npy_announced_bytes(std::span<const std::byte> start,
                                                         std::uint64_t size,
                                                         const std::string& file_name);
Result<std::vector<NpyColumn>> npy_columns(std::span<const std::byte> start, std::uint64_t size,
                                           const std::string& file_name);
// Rows of a column of numbers as float64; `bytes` is the whole file.
Result<ir::Tensor> npy_numbers(const NpyColumn& column, std::span<const std::byte> bytes,
                               std::int64_t first, std::int64_t count);
// One row of a column of texts, as UTF-8.
std::string npy_text(const NpyColumn& column, std::span<const std::byte> bytes, std::int64_t row);

// Version 1.0, row-major. bfloat16, which NumPy does not have, is written as float32.
std::string npy_bytes(const ir::Tensor& tensor);
void write_npy(const std::filesystem::path& path, const ir::Tensor& tensor);

}  // namespace mase::io
