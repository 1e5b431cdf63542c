// The columns of a table in an npy file: the fields of its records or the columns of its matrix,
// read where they lie.
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "mase/io/arrays/npy.h"
#include "mase/io/arrays/npy_header.h"

namespace mase::io {
namespace {

using ir::DType;
using ir::Shape;
using ir::Tensor;

constexpr std::int64_t kWidestMatrix = 4096;

// The columns of a field, or of a plain array, that holds `shape` values for each row.
void add_columns(const npy::Header& header, const npy::Field& field, const Shape& shape,
                 std::vector<NpyColumn>& out) {
  const npy::Element& element = field.element;
  NpyColumn column{.name = field.name,
                   .kind = element.kind,
                   .size = element.size,
                   .swap = element.swap,
                   .offset = header.data_offset + field.offset,
                   .stride = header.record,
                   .rows = header.shape.empty() ? 0 : header.shape[0]};
  const bool text = column.is_text() && element.size > 0;
  if (header.pickled()) {
    column.problem = npy::why_pickled(header);
  } else if (header.shape.empty()) {
    column.problem = "is a single value, not one for each row";
  } else if (!text && !element.type()) {
    column.problem = npy::why_no_number(field.descr, element);
  } else if (shape.size() > 1 || (shape.size() == 1 && shape[0] > kWidestMatrix)) {
    column.problem = fmt::format("holds values of shape {} for each row, not one", ir::text(shape));
  }
  if (!column.problem.empty() || shape.empty()) {
    out.push_back(std::move(column));
    return;
  }
  const auto width = static_cast<std::uint64_t>(shape[0]);
  const bool by_columns = header.fortran && !header.structured;
  if (!header.structured) column.stride = by_columns ? element.size : element.size * width;
  const std::uint64_t step =
      by_columns ? element.size * static_cast<std::uint64_t>(column.rows) : element.size;
  for (std::uint64_t i = 0; i < width; ++i, column.offset += step) {
    column.name = fmt::format("{}[{}]", field.name, i);
    out.push_back(column);
  }
}

void append_utf8(std::uint32_t code, std::string& out) {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) code = 0xfffd;
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xe0 | code >> 12);
    } else {
      put(0xf0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3f));
    }
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

}  // namespace

Result<std::vector<NpyColumn>> npy_columns(std::span<const std::byte> start, std::uint64_t size,
                                           const std::string& file_name) {
  const auto header = npy::parse_header(start, size, file_name);
  if (!header) return header.error();
  std::vector<NpyColumn> out;
  if (!header->structured) {
    const Shape per_row(header->shape.begin() + (header->shape.empty() ? 0 : 1),
                        header->shape.end());
    add_columns(*header, header->fields[0], per_row, out);
    return out;
  }
  if (header->shape.size() != 1) {
    return ReadError{
        fmt::format("npy: a table needs one dimension, this has shape {}", ir::text(header->shape)),
        {.file = file_name}};
  }
  for (const npy::Field& field : header->fields) {
    if (!field.name.empty()) add_columns(*header, field, field.shape, out);
  }
  return out;
}

Result<Tensor> npy_numbers(const NpyColumn& column, std::span<const std::byte> bytes,
                           std::int64_t first, std::int64_t count) {
  const npy::Element element{.kind = column.kind, .size = column.size, .swap = column.swap};
  const std::uint64_t last =
      column.offset + column.stride * static_cast<std::uint64_t>(first + count - 1) + column.size;
  if (count < 1 || last > bytes.size() || !element.type()) {
    return ReadError{"npy: its bytes have changed", {}};
  }
  Tensor out({count}, *element.type());
  const std::byte* from =
      bytes.data() + column.offset + column.stride * static_cast<std::uint64_t>(first);
  if (!npy::copy_rows(from, column.stride, static_cast<std::uint64_t>(count), 1, element,
                      out.data_mut())) {
    return ReadError{"npy: an unsigned value does not fit int64", {}};
  }
  normalise_bools(out);
  return out.to(DType::Float64);
}

std::string npy_text(const NpyColumn& column, std::span<const std::byte> bytes, std::int64_t row) {
  const std::uint64_t at = column.offset + column.stride * static_cast<std::uint64_t>(row);
  if (at > bytes.size() || bytes.size() - at < column.size) return {};
  auto cell = bytes.subspan(static_cast<std::size_t>(at), column.size);
  while (!cell.empty() && cell.back() == std::byte{0} && column.kind == 'S') {
    cell = cell.first(cell.size() - 1);
  }
  if (column.kind == 'S') return std::string(text_of(cell));
  std::string out;
  for (std::size_t i = 0; i + 4 <= cell.size(); i += 4) {
    std::uint32_t code = 0;
    std::memcpy(&code, cell.data() + i, sizeof code);
    if (column.swap) code = __builtin_bswap32(code);
    if (code == 0) break;
    append_utf8(code, out);
  }
  return out;
}

}  // namespace mase::io
