// NumPy's array format (numpy.lib.format): magic, version, a Python dictionary as header, raw
// bytes.
#include "mase/io/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "mase/io/python_literal.h"

namespace mase::io {
namespace {

using ir::DType;
using ir::Shape;
using ir::Tensor;
using ir::Value;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::uint64_t kMaxHeader = std::uint64_t{1} << 20;  // thousands of columns fit

// How one element lies in the file: `kind` and `size` as NumPy writes them, "<f4" = ('f', 4).
struct Element {
  char kind = 'f';
  std::size_t size = 4;
  bool swap = false;  // big-endian

  bool widened() const { return kind == 'u' && size > 1; }
  std::optional<DType> type() const {
    switch (kind) {
      case 'b':
        return size == 1 ? std::optional(DType::Bool) : std::nullopt;
      case 'u':
        if (size == 1) return DType::UInt8;
        if (size == 2) return DType::Int32;
        return size == 4 || size == 8 ? std::optional(DType::Int64) : std::nullopt;
      case 'i':
        if (size == 1) return DType::Int8;
        if (size == 2) return DType::Int16;
        if (size == 4) return DType::Int32;
        return size == 8 ? std::optional(DType::Int64) : std::nullopt;
      case 'f':
        if (size == 2) return DType::Float16;
        if (size == 4) return DType::Float32;
        return size == 8 ? std::optional(DType::Float64) : std::nullopt;
      default:
        return std::nullopt;
    }
  }
};

struct Field {
  std::string name;   // "" for the bytes NumPy pads with
  std::string descr;  // the dtype as it is written
  Element element;
  Shape shape;
  std::uint64_t offset = 0;  // in the record
  std::uint64_t bytes = 0;
};

struct Header {
  std::vector<Field> fields;  // one without a name for a plain array
  bool structured = false;
  bool fortran = false;
  Shape shape;
  std::uint64_t record = 0;  // bytes of one element or record
  std::uint64_t data_offset = 0;
};

std::optional<Element> parse_element(std::string_view text) {
  if (text.size() == 2 && text[1] == 'O') return Element{.kind = 'O', .size = 8};
  if (text == "|O") return Element{.kind = 'O', .size = 8};
  if (text.size() < 3) return std::nullopt;
  Element out{.kind = text[1], .size = 0, .swap = text[0] == '>'};
  if (text[0] != '<' && text[0] != '>' && text[0] != '|' && text[0] != '=') return std::nullopt;
  // Dates and spans of time name their unit: "<M8[ns]".
  for (const char c : text.substr(2, text.find('[', 2) - 2)) {
    if (c < '0' || c > '9' || out.size > 1'000'000) return std::nullopt;
    out.size = out.size * 10 + static_cast<std::size_t>(c - '0');
  }
  if (out.kind == 'U') out.size *= 4;  // counted in characters
  return out;
}

std::string why_no_number(const std::string& descr, const Element& element) {
  switch (element.kind) {
    case 'O':
      return fmt::format("dtype '{}' holds Python objects (pickled code)", descr);
    case 'U':
    case 'S':
      return fmt::format("dtype '{}' holds texts, not numbers", descr);
    case 'c':
      return fmt::format("dtype '{}' holds complex numbers", descr);
    case 'M':
    case 'm':
      return fmt::format("dtype '{}' holds dates or times, not numbers", descr);
    default:
      return fmt::format("dtype '{}' is not a supported number", descr);
  }
}

std::optional<Shape> parse_shape(const Value& value) {
  const auto* tuple = value.get<ir::Tuple>();
  if (!tuple) return std::nullopt;
  Shape out;
  for (const Value& d : tuple->items) {
    const auto* size = d.get<std::int64_t>();
    if (!size) return std::nullopt;
    out.push_back(*size);
  }
  return out;
}

// ('name', '<f4'), ('name', '<f4', (2,)) or (('title', 'name'), '<f4').
std::optional<Field> parse_field(const Value& value) {
  const auto* tuple = value.get<ir::Tuple>();
  if (!tuple || tuple->items.size() < 2 || tuple->items.size() > 3) return std::nullopt;
  Field out;
  const Value* name = &tuple->items[0];
  if (const auto* titled = name->get<ir::Tuple>()) {
    if (titled->items.size() != 2) return std::nullopt;
    name = &titled->items[1];
  }
  const auto* descr = tuple->items[1].get<std::string>();
  if (!name->is<std::string>() || !descr) return std::nullopt;
  out.name = name->as_text();
  out.descr = *descr;
  const auto element = parse_element(*descr);
  if (!element) return std::nullopt;
  out.element = *element;
  if (tuple->items.size() == 3) {
    auto shape = parse_shape(tuple->items[2]);
    if (!shape) return std::nullopt;
    out.shape = *std::move(shape);
  }
  const auto bytes = dense_bytes(out.shape, out.element.size);
  if (!bytes) return std::nullopt;
  out.bytes = *bytes;
  return out;
}

// "field 'date'", or its number where it has no name.
std::string field_name(const Value& field, const Header& header) {
  const auto* tuple = field.get<ir::Tuple>();
  const auto* name = tuple && !tuple->items.empty() ? tuple->items[0].get<std::string>() : nullptr;
  return name ? fmt::format("field '{}'", *name) : fmt::format("field {}", header.fields.size());
}

std::optional<ReadError> parse_fields(const Value& descr, Header& out, const Location& where) {
  if (const auto* text = descr.get<std::string>()) {
    const auto element = parse_element(*text);
    if (!element) return ReadError{fmt::format("npy: unknown dtype '{}'", *text), where};
    out.record = element->size;
    out.fields.push_back({.descr = *text, .element = *element, .bytes = element->size});
    return std::nullopt;
  }
  const auto* list = descr.get<ir::List>();
  if (!list) return ReadError{"npy: 'descr' is neither a dtype nor a list of fields", where};
  out.structured = true;
  for (const Value& item : *list) {
    auto field = parse_field(item);
    if (!field) {
      return ReadError{fmt::format("npy: {} of the dtype cannot be read", field_name(item, out)),
                       where};
    }
    field->offset = out.record;
    if (field->bytes > std::numeric_limits<std::uint32_t>::max()) {
      return ReadError{fmt::format("npy: field '{}' is too large", field->name), where};
    }
    out.record += field->bytes;
    out.fields.push_back(*std::move(field));
  }
  return std::nullopt;
}

// `size` is that of the whole file, of which `bytes` may be the beginning only.
Result<Header> parse_header(std::span<const std::byte> bytes, std::uint64_t size,
                            const std::string& file_name) {
  const Location where{.file = file_name};
  Cursor cursor(bytes);
  const auto magic = cursor.take(kMagic.size());
  if (!magic || text_of(*magic) != kMagic) return ReadError{"not an npy file", where};
  const auto major = cursor.number<std::uint8_t>();
  const auto minor = cursor.number<std::uint8_t>();
  if (!major || !minor) return ReadError{"npy: the header is cut off", where};
  if (*major < 1 || *major > 3) {
    return ReadError{fmt::format("npy: format version {}.{} is not known", *major, *minor), where};
  }
  std::optional<std::uint64_t> length;
  if (*major == 1) {
    if (const auto n = cursor.number<std::uint16_t>()) length = *n;
  } else {
    if (const auto n = cursor.number<std::uint32_t>()) length = *n;
  }
  if (length && *length > kMaxHeader) return ReadError{"npy: the header is too long", where};
  const auto text = length ? cursor.take(*length) : std::nullopt;
  if (!text) return ReadError{"npy: the header is cut off", where};

  const auto literal = parse_python_literal(text_of(*text));
  if (!literal) return ReadError{"npy: the header is " + literal.error().message, where};
  const Value* descr = literal->find("descr");
  const Value* order = literal->find("fortran_order");
  const Value* shape = literal->find("shape");
  if (!descr || !order || !shape || !order->is<bool>()) {
    return ReadError{"npy: the header lacks 'descr', 'fortran_order' or 'shape'", where};
  }
  Header out{.fortran = order->as_bool(), .data_offset = cursor.position()};
  if (auto error = parse_fields(*descr, out, where)) return *std::move(error);
  auto dimensions = parse_shape(*shape);
  if (!dimensions) return ReadError{"npy: 'shape' is not a tuple of integers", where};
  out.shape = *std::move(dimensions);
  // Objects are pickled: their bytes are not counted.
  if (!out.structured && out.fields[0].element.kind == 'O') return out;
  const auto needed =
      dense_bytes(out.shape, static_cast<std::size_t>(std::max<std::uint64_t>(out.record, 1)));
  if (!needed)
    return ReadError{fmt::format("npy: impossible shape {}", ir::text(out.shape)), where};
  const std::uint64_t left = size - std::min<std::uint64_t>(size, cursor.position());
  if (*needed > left) {
    return ReadError{fmt::format("npy: {} bytes of data, the shape {} needs {}", left,
                                 ir::text(out.shape), *needed),
                     where};
  }
  return out;
}

// One element at `from` (in file order) to `to` (in ours). False if an unsigned value does not fit.
bool copy_element(const std::byte* from, std::byte* to, const Element& element) {
  std::byte raw[8];
  std::memcpy(raw, from, element.size);
  if (element.swap) std::reverse(raw, raw + element.size);
  if (!element.widened()) {
    std::memcpy(to, raw, element.size);
    return true;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, raw, element.size);
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
  std::memcpy(to, &value, element.size == 2 ? 4 : 8);
  return true;
}

// Rows of one field, each `stride` bytes after the one before.
bool copy_rows(const std::byte* from, std::uint64_t stride, std::uint64_t rows,
               std::uint64_t per_row, const Element& element, std::byte* to) {
  const std::size_t size_out = size_of(*element.type());
  const bool plain = !element.swap && !element.widened();
  for (std::uint64_t r = 0; r < rows; ++r, from += stride) {
    if (plain) {
      std::memcpy(to, from, static_cast<std::size_t>(per_row) * element.size);
      to += static_cast<std::size_t>(per_row) * size_out;
      continue;
    }
    for (std::uint64_t i = 0; i < per_row; ++i, to += size_out) {
      if (!copy_element(from + i * element.size, to, element)) return false;
    }
  }
  return true;
}

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

Result<Tensor> parse_npy(std::span<const std::byte> bytes, const std::string& file_name) {
  const Location where{.file = file_name};
  const auto header = parse_header(bytes, bytes.size(), file_name);
  if (!header) return header.error();
  if (header->structured) {
    return ReadError{"npy: a structured array: a table with named columns, not one array", where};
  }
  const Element& element = header->fields[0].element;
  if (!element.type()) {
    return ReadError{"npy: " + why_no_number(header->fields[0].descr, element), where};
  }
  Tensor out(header->shape, *element.type());
  const auto count = static_cast<std::uint64_t>(out.size());
  if (!copy_rows(bytes.data() + header->data_offset, 0, 1, count, element, out.data_mut())) {
    return ReadError{"npy: an unsigned value does not fit int64", where};
  }
  normalise_bools(out);
  if (header->fortran && header->shape.size() > 1) return from_fortran(out, header->shape);
  return out;
}

Result<ir::State> parse_npy_columns(std::span<const std::byte> bytes,
                                    const std::string& file_name) {
  const Location where{.file = file_name};
  const auto header = parse_header(bytes, bytes.size(), file_name);
  if (!header) return header.error();
  if (!header->structured) return ReadError{"npy: a plain array without named columns", where};
  if (header->shape.size() != 1) {
    return ReadError{
        fmt::format("npy: a table needs one dimension, this has shape {}", ir::text(header->shape)),
        where};
  }
  ir::State out;
  for (const Field& field : header->fields) {
    if (field.name.empty() || !field.element.type()) continue;
    Shape shape = field.shape;
    shape.insert(shape.begin(), header->shape[0]);
    if (!dense_bytes(shape, field.element.size)) {
      return ReadError{
          fmt::format("npy: '{}' has the impossible shape {}", field.name, ir::text(shape)), where};
    }
    Tensor column(shape, *field.element.type());
    const auto per_row = field.bytes / field.element.size;
    if (!copy_rows(bytes.data() + header->data_offset + field.offset, header->record,
                   static_cast<std::uint64_t>(header->shape[0]), per_row, field.element,
                   column.data_mut())) {
      return ReadError{fmt::format("npy: a value of '{}' does not fit int64", field.name), where};
    }
    normalise_bools(column);
    out.emplace_back(field.name, std::move(column));
  }
  return out;
}

namespace {

constexpr std::int64_t kWidestMatrix = 4096;

// The columns of a field, or of a plain array, that holds `shape` values for each row.
void add_columns(const Header& header, const Field& field, const Shape& shape,
                 std::vector<NpyColumn>& out) {
  const Element& element = field.element;
  NpyColumn column{.name = field.name,
                   .kind = element.kind,
                   .size = element.size,
                   .swap = element.swap,
                   .offset = header.data_offset + field.offset,
                   .stride = header.record,
                   .rows = header.shape.empty() ? 0 : header.shape[0]};
  const bool text = column.is_text() && element.size > 0;
  if (header.shape.empty()) {
    column.problem = "is a single value, not one for each row";
  } else if (!text && !element.type()) {
    column.problem = why_no_number(field.descr, element);
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
  const auto header = parse_header(start, size, file_name);
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
  for (const Field& field : header->fields) {
    if (!field.name.empty()) add_columns(*header, field, field.shape, out);
  }
  return out;
}

Result<Tensor> npy_numbers(const NpyColumn& column, std::span<const std::byte> bytes,
                           std::int64_t first, std::int64_t count) {
  const Element element{.kind = column.kind, .size = column.size, .swap = column.swap};
  const std::uint64_t last =
      column.offset + column.stride * static_cast<std::uint64_t>(first + count - 1) + column.size;
  if (count < 1 || last > bytes.size() || !element.type()) {
    return ReadError{"npy: its bytes have changed", {}};
  }
  Tensor out({count}, *element.type());
  const std::byte* from =
      bytes.data() + column.offset + column.stride * static_cast<std::uint64_t>(first);
  if (!copy_rows(from, column.stride, static_cast<std::uint64_t>(count), 1, element,
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

Result<Tensor> read_npy(const std::filesystem::path& path) {
  const auto file = map_file(path);
  if (!file) return file.error();
  return parse_npy(file->bytes, path.string());
}

Result<ir::State> read_npy_columns(const std::filesystem::path& path) {
  const auto file = map_file(path);
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
  const std::size_t unpadded = kMagic.size() + 4 + header.size() + 1;
  header.append((64 - unpadded % 64) % 64, ' ');
  header += '\n';
  std::string out(kMagic);
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
