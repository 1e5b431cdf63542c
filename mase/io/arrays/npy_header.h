#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mase/io/bytes.h"
#include "mase/ir/tensor.h"

// The header of an npy file and the elements behind it: what npy.cpp and npy_columns.cpp share.
namespace mase::io::npy {

inline constexpr std::string_view kMagic = "\x93NUMPY";

// How one element lies in the file: `kind` and `size` as NumPy writes them, "<f4" = ('f', 4).
struct Element {
  char kind = 'f';
  std::size_t size = 4;
  bool swap = false;  // big-endian

  bool widened() const { return kind == 'u' && size > 1; }
  std::optional<ir::DType> type() const;  // ours; nothing if it is no number that is read
};

struct Field {
  std::string name;   // "" for the bytes NumPy pads with
  std::string descr;  // the dtype as it is written
  Element element;
  ir::Shape shape;
  std::uint64_t offset = 0;  // in the record
  std::uint64_t bytes = 0;
};

struct Header {
  std::vector<Field> fields;  // one without a name for a plain array
  bool structured = false;
  bool fortran = false;
  ir::Shape shape;
  std::uint64_t record = 0;  // bytes of one element or record
  std::uint64_t data_offset = 0;
  // Nothing where a field holds Python objects: the whole array is pickled then, in bytes that
  // nothing announces.
  std::optional<std::uint64_t> data_bytes = {};

  bool pickled() const { return !data_bytes; }
};

// "dtype '<M8[ns]' holds dates or times, not numbers".
std::string why_no_number(const std::string& descr, const Element& element);
// The same of the field for which the whole array is pickled.
std::string why_pickled(const Header& header);

// `size` is that of the whole file, of which `bytes` may be the beginning only.
Result<Header> parse_header(std::span<const std::byte> bytes, std::uint64_t size,
                            const std::string& file_name);

// Rows of one field, each `stride` bytes after the one before, as our types. False if an unsigned
// value does not fit.
bool copy_rows(const std::byte* from, std::uint64_t stride, std::uint64_t rows,
               std::uint64_t per_row, const Element& element, std::byte* to);

}  // namespace mase::io::npy
