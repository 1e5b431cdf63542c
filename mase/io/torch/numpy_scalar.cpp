// numpy.core.multiarray.scalar(dtype('i8', False, True), bytes); protocol 2, which torch.save uses,
// has no bytes and writes _codecs.encode(text, 'latin1') for them.
#include "mase/io/torch/numpy_scalar.h"

#include <cstring>
#include <string>
#include <string_view>

namespace mase::io {
namespace {

// The bytes that `text` (UTF-8) has in Latin-1; nullopt where it has none.
std::optional<std::string> from_latin1(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      out += text[i];
    } else if ((lead == 0xc2 || lead == 0xc3) && i + 1 < text.size()) {
      const auto next = static_cast<unsigned char>(text[++i]);
      out += static_cast<char>((lead << 6 & 0xc0) | (next & 0x3f));
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::string> scalar_bytes(const Object& object) {
  if (object.kind() == Object::Kind::Bytes) return object.raw();
  if (!object.is_call("_codecs", "encode") || object.arguments().empty()) return std::nullopt;
  const std::string* text = object.arguments()[0].text();
  return text ? from_latin1(*text) : std::nullopt;
}

template <typename T>
std::optional<ir::Value> numpy_number(const std::string& bytes) {
  T value{};
  if (bytes.size() != sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data(), sizeof value);
  if constexpr (std::is_floating_point_v<T>) return ir::Value(static_cast<double>(value));
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  }
  return ir::Value(static_cast<std::int64_t>(value));
}

struct NumpyKind {
  std::string_view name;
  std::optional<ir::Value> (*read)(const std::string&);
};
constexpr NumpyKind kNumpyKinds[] = {
    {"i1", numpy_number<std::int8_t>},   {"i2", numpy_number<std::int16_t>},
    {"i4", numpy_number<std::int32_t>},  {"i8", numpy_number<std::int64_t>},
    {"u1", numpy_number<std::uint8_t>},  {"u2", numpy_number<std::uint16_t>},
    {"u4", numpy_number<std::uint32_t>}, {"u8", numpy_number<std::uint64_t>},
    {"f4", numpy_number<float>},         {"f8", numpy_number<double>},
};

}  // namespace

std::optional<ir::Value> numpy_scalar(const Object& object) {
  const bool scalar = object.is_call("numpy.core.multiarray", "scalar") ||
                      object.is_call("numpy._core.multiarray", "scalar");
  const auto arguments = object.arguments();
  if (!scalar || arguments.size() < 2 || !arguments[0].is_call("numpy", "dtype")) {
    return std::nullopt;
  }
  const auto of_type = arguments[0].arguments();
  const std::string* name = of_type.empty() ? nullptr : of_type[0].text();
  const std::optional<std::string> bytes = scalar_bytes(arguments[1]);
  if (!name || !bytes) return std::nullopt;
  if (*name == "b1" && bytes->size() == 1) return ir::Value((*bytes)[0] != 0);
  for (const NumpyKind& kind : kNumpyKinds) {
    if (kind.name == *name) return kind.read(*bytes);
  }
  return std::nullopt;
}

}  // namespace mase::io
