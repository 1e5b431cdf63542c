// NumPy's array format (numpy.lib.format): magic, version, a Python dictionary as header, raw
// bytes.
#include "mase/io/arrays/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "mase/io/arrays/npy_header.h"

namespace mase::io {
namespace {

using ir::DType;
using ir::Shape;
using ir::Tensor;

// Fortran order: the first index runs fastest.
Tensor from_fortran(const Tensor& in, const Shape& shape) {
  Tensor out(shape, in.dtype());
  const std::size_t size = size_of(in.dtype());
  std::byte* to = out.data_mut();
  const std::byte* from = in.data();
  std::vector<std::uint64_t> stride(shape.size(), 1);
  for (std::size_t d = 1; d < shape.size(); ++d) {
    stride[d] = stride[d - 1] * static_cast<std::uint64_t>(shape[d - 1]);
  }
  std::vector<std::int64_t> index(shape.size(), 0);
  std::uint64_t at = 0;
  for (std::int64_t i = 0; i < out.size(); ++i, to += size) {
    std::memcpy(to, from + at * size, size);
    for (std::size_t d = shape.size(); d-- > 0;) {
      at += stride[d];
      if (++index[d] < shape[d]) break;
      at -= stride[d] * static_cast<std::uint64_t>(shape[d]);
      index[d] = 0;
    }
  }
  return out;
}

std::string_view descr_of(DType type) {
  switch (type) {
    case DType::Bool:
      return "|b1";
    case DType::UInt8:
      return "|u1";
    case DType::Int8:
      return "|i1";
    case DType::Int16:
      return "<i2";
    case DType::Int32:
      return "<i4";
    case DType::Int64:
      return "<i8";
    case DType::Float16:
      return "<f2";
    case DType::BFloat16:
    case DType::Float32:
      return "<f4";
    case DType::Float64:
      return "<f8";
  }
  return "";
}

}  // namespace

std::size_t npy_header_bytes(std::span<const std::byte> start) {
  Cursor cursor(start);
  const auto magic = cursor.take(npy::kMagic.size());
  if (!magic || text_of(*magic) != npy::kMagic) return 0;
  const auto major = cursor.number<std::uint8_t>();
  if (!cursor.take(1)) return 0;
  const std::uint32_t length = *major == 1 ? cursor.number<std::uint16_t>().value_or(0)
                                           : cursor.number<std::uint32_t>().value_or(0);
  return std::min<std::size_t>(cursor.position() + std::size_t{length}, kNpyHeaderBytes);
}

Result<std::optional<std::uint64_t>> npy_announced_bytes(std::span<const std::byte> start,
                                                         std::uint64_t size,
                                                         const std::string& file_name) {
  const auto header = npy::parse_header(start, size, file_name);
  if (!header) return header.error();
  if (header->pickled()) return std::optional<std::uint64_t>();
  return std::optional(header->data_offset + *header->data_bytes);
}

Result<Tensor> parse_npy(std::span<const std::byte> bytes, const std::string& file_name) {
  const Location where{.file = file_name};
  const auto header = npy::parse_header(bytes, bytes.size(), file_name);
  if (!header) return header.error();
  if (header->structured) {
    return ReadError{"npy: a structured array: a table with named columns, not one array", where};
  }
  const npy::Element& element = header->fields[0].element;
  if (!element.type()) {
    return ReadError{"npy: " + npy::why_no_number(header->fields[0].descr, element), where};
  }
  Tensor out(header->shape, *element.type());
  const auto count = static_cast<std::uint64_t>(out.size());
  if (!npy::copy_rows(bytes.data() + header->data_offset, 0, 1, count, element, out.data_mut())) {
    return ReadError{"npy: an unsigned value does not fit int64", where};
  }
  normalise_bools(out);
  if (header->fortran && header->shape.size() > 1) return from_fortran(out, header->shape);
  return out;
}

Result<ir::State> parse_npy_columns(std::span<const std::byte> bytes,
                                    const std::string& file_name) {
  const Location where{.file = file_name};
  const auto header = npy::parse_header(bytes, bytes.size(), file_name);
  if (!header) return header.error();
  if (!header->structured) return ReadError{"npy: a plain array without named columns", where};
  if (header->pickled()) return ReadError{"npy: " + npy::why_pickled(*header), where};
  if (header->shape.size() != 1) {
    return ReadError{
        fmt::format("npy: a table needs one dimension, this has shape {}", ir::text(header->shape)),
        where};
  }
  ir::State out;
  for (const npy::Field& field : header->fields) {
    if (field.name.empty() || !field.element.type()) continue;
    Shape shape = field.shape;
    shape.insert(shape.begin(), header->shape[0]);
    if (!dense_bytes(shape, field.element.size)) {
      return ReadError{
          fmt::format("npy: '{}' has the impossible shape {}", field.name, ir::text(shape)), where};
    }
    Tensor column(shape, *field.element.type());
    const auto per_row = field.bytes / field.element.size;
    if (!npy::copy_rows(bytes.data() + header->data_offset + field.offset, header->record,
                        static_cast<std::uint64_t>(header->shape[0]), per_row, field.element,
                        column.data_mut())) {
      return ReadError{fmt::format("npy: a value of '{}' does not fit int64", field.name), where};
    }
    normalise_bools(column);
    out.emplace_back(field.name, std::move(column));
  }
  return out;
}

Result<Tensor> read_npy(const std::filesystem::path& path) {
  const auto file = load_file(path);
  if (!file) return file.error();
  return parse_npy(file->bytes, path.string());
}

Result<ir::State> read_npy_columns(const std::filesystem::path& path) {
  const auto file = load_file(path);
  if (!file) return file.error();
  return parse_npy_columns(file->bytes, path.string());
}

std::string npy_bytes(const Tensor& tensor) {
  if (tensor.dtype() == DType::BFloat16) return npy_bytes(tensor.to(DType::Float32));
  std::string shape;
  for (const std::int64_t d : tensor.shape()) shape += fmt::format("{}, ", d);
  if (tensor.shape().size() > 1) shape.resize(shape.size() - 2);
  if (tensor.shape().size() == 1) shape.resize(shape.size() - 1);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                   descr_of(tensor.dtype()), shape);
  // The data starts at a multiple of 64 bytes; the header ends with a newline.
  const std::size_t unpadded = npy::kMagic.size() + 4 + header.size() + 1;
  header.append((64 - unpadded % 64) % 64, ' ');
  header += '\n';
  std::string out(npy::kMagic);
  put<std::uint8_t>(out, 1);
  put<std::uint8_t>(out, 0);
  put<std::uint16_t>(out, static_cast<std::uint16_t>(header.size()));
  out += header;
  out.append(reinterpret_cast<const char*>(tensor.data()), tensor.bytes());
  return out;
}

void write_npy(const std::filesystem::path& path, const Tensor& tensor) {
  write_file(path, npy_bytes(tensor));
}

}  // namespace mase::io
