// The header of an npy file: magic, version, a Python dictionary with dtype, order and shape; and
// its elements in our order of bytes.
#include "mase/io/arrays/npy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "mase/io/text/python_literal.h"
#include "mase/ir/value.h"

namespace mase::io::npy {
namespace {

using ir::DType;
using ir::Shape;
using ir::Value;

constexpr std::uint64_t kMaxHeader = std::uint64_t{1} << 20;  // thousands of columns fit

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

}  // namespace

std::optional<DType> Element::type() const {
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

std::string why_pickled(const Header& header) {
  for (const Field& field : header.fields) {
    if (field.element.kind != 'O') continue;
    const std::string why = why_no_number(field.descr, field.element);
    return field.name.empty() ? why : fmt::format("field '{}': {}", field.name, why);
  }
  return {};
}

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
  const bool objects = std::any_of(out.fields.begin(), out.fields.end(),
                                   [](const Field& field) { return field.element.kind == 'O'; });
  if (objects) return out;
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
  out.data_bytes = *needed;
  return out;
}

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

}  // namespace mase::io::npy
