// Elements of HDF5 datasets taken apart into numbers; short lists of texts read whole.
#include "mase/io/tables/hdf5_types.h"

#include <fmt/format.h>

#include <cstring>
#include <functional>

namespace mase::io::hdf5 {
namespace {

constexpr int kDeepest = 8;
constexpr std::size_t kLongestText = 1 << 20;

template <typename T>
void widen_as(const std::byte* from, std::size_t step, double* to, std::size_t to_step,
              std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, from += step, to += to_step) {
    T value;
    std::memcpy(&value, from, sizeof value);
    *to = static_cast<double>(value);
  }
}

Native whole_number(std::size_t size, bool is_signed) {
  if (size == 1) return is_signed ? Native::I8 : Native::U8;
  if (size == 2) return is_signed ? Native::I16 : Native::U16;
  if (size == 4) return is_signed ? Native::I32 : Native::U32;
  if (size == 8) return is_signed ? Native::I64 : Native::U64;
  return Native::None;
}

class Flattener {
 public:
  explicit Flattener(std::size_t most) : most_(most) {}

  // False once there are too many.
  bool visit(hid_t type, const std::string& name, std::size_t offset, int depth) {
    const H5T_class_t family = H5Tget_class(type);
    if (depth < kDeepest && family == H5T_COMPOUND) return visit_members(type, name, offset, depth);
    if (depth < kDeepest && family == H5T_ARRAY) return visit_array(type, name, offset, depth);
    if (leaves.size() == most_) return false;
    leaves.push_back({name, offset, native_kind(type), H5Tget_size(type)});
    return true;
  }

  std::vector<Leaf> leaves;

 private:
  bool visit_members(hid_t type, const std::string& name, std::size_t offset, int depth) {
    const int count = H5Tget_nmembers(type);
    for (int i = 0; i < count; ++i) {
      const auto index = static_cast<unsigned>(i);
      const Handle member = type_handle(H5Tget_member_type(type, index));
      char* own = H5Tget_member_name(type, index);
      if (own == nullptr) return false;
      const std::string full = name.empty() ? own : fmt::format("{}/{}", name, own);
      H5free_memory(own);
      if (!visit(member.id(), full, offset + H5Tget_member_offset(type, index), depth + 1)) {
        return false;
      }
    }
    return true;
  }

  bool visit_array(hid_t type, const std::string& name, std::size_t offset, int depth) {
    const Handle element = type_handle(H5Tget_super(type));
    const std::size_t size = H5Tget_size(element.id());
    const std::size_t count = size == 0 ? 0 : H5Tget_size(type) / size;
    for (std::size_t i = 0; i < count; ++i) {
      if (!visit(element.id(), fmt::format("{}[{}]", name, i), offset + i * size, depth + 1)) {
        return false;
      }
    }
    return true;
  }

  std::size_t most_;
};

// Reads into memory of a given type: H5Dread or H5Aread.
using Reader = std::function<herr_t(hid_t memory_type, void* to)>;

std::vector<std::string> fixed_texts(const std::string& raw, std::size_t size, H5T_str_t padding) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at + size <= raw.size(); at += size) {
    std::string text = raw.substr(at, size);
    text.resize(std::min(text.size(), std::strlen(text.c_str())));
    if (padding == H5T_STR_SPACEPAD) text.resize(text.find_last_not_of(' ') + 1);
    out.push_back(std::move(text));
  }
  return out;
}

std::optional<std::vector<std::string>> variable_texts(hid_t type, hid_t space, std::size_t count,
                                                       const Reader& read) {
  std::vector<char*> pointers(count, nullptr);
  if (read(type, pointers.data()) < 0) return std::nullopt;
  std::vector<std::string> out;
  for (const char* pointer : pointers) out.emplace_back(pointer == nullptr ? "" : pointer);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
  return out;
}

std::optional<std::vector<std::string>> texts(hid_t type, hid_t space, std::size_t most,
                                              const Reader& read) {
  const hssize_t elements = H5Sget_simple_extent_npoints(space);
  if (elements < 0 || static_cast<std::size_t>(elements) > most) return std::nullopt;
  const auto count = static_cast<std::size_t>(elements);
  const std::size_t size = H5Tget_size(type);
  if (H5Tget_class(type) == H5T_INTEGER) {
    std::vector<std::int64_t> numbers(count);
    if (read(H5T_NATIVE_INT64, numbers.data()) < 0) return std::nullopt;
    std::vector<std::string> out;
    for (const std::int64_t number : numbers) out.push_back(fmt::to_string(number));
    return out;
  }
  if (H5Tget_class(type) != H5T_STRING) return std::nullopt;
  if (H5Tis_variable_str(type) > 0) return variable_texts(type, space, count, read);
  if (size == 0 || (count > 0 && size > kLongestText / count)) return std::nullopt;
  std::string raw(count * size, '\0');
  if (read(type, raw.data()) < 0) return std::nullopt;
  return fixed_texts(raw, size, H5Tget_strpad(type));
}

}  // namespace

Native native_kind(hid_t type) {
  const std::size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      if (size == sizeof(float)) return Native::F32;
      if (size == sizeof(double)) return Native::F64;
      return size == sizeof(long double) ? Native::LongDouble : Native::None;
    case H5T_ENUM: {
      const Handle base = type_handle(H5Tget_super(type));
      return base.ok() ? native_kind(base.id()) : Native::None;
    }
    case H5T_INTEGER:
      return whole_number(size, H5Tget_sign(type) == H5T_SGN_2);
    case H5T_BITFIELD:
      return whole_number(size, false);
    case H5T_STRING:
      return H5Tis_variable_str(type) > 0 ? Native::Text : Native::FixedText;
    default:
      return Native::None;
  }
}

void widen(Native kind, const std::byte* from, std::size_t step, double* to, std::size_t to_step,
           std::size_t count) {
  switch (kind) {
    case Native::I8:
      return widen_as<std::int8_t>(from, step, to, to_step, count);
    case Native::U8:
      return widen_as<std::uint8_t>(from, step, to, to_step, count);
    case Native::I16:
      return widen_as<std::int16_t>(from, step, to, to_step, count);
    case Native::U16:
      return widen_as<std::uint16_t>(from, step, to, to_step, count);
    case Native::I32:
      return widen_as<std::int32_t>(from, step, to, to_step, count);
    case Native::U32:
      return widen_as<std::uint32_t>(from, step, to, to_step, count);
    case Native::I64:
      return widen_as<std::int64_t>(from, step, to, to_step, count);
    case Native::U64:
      return widen_as<std::uint64_t>(from, step, to, to_step, count);
    case Native::F32:
      return widen_as<float>(from, step, to, to_step, count);
    case Native::F64:
      return widen_as<double>(from, step, to, to_step, count);
    case Native::LongDouble:
      return widen_as<long double>(from, step, to, to_step, count);
    case Native::FixedText:
    case Native::Text:
    case Native::None:
      return;
  }
}

std::string_view text_at(Native kind, const std::byte* from, std::size_t size) {
  if (kind == Native::Text) {
    const char* text = nullptr;
    std::memcpy(&text, from, sizeof text);
    return text == nullptr ? std::string_view() : std::string_view(text);
  }
  std::string_view text(reinterpret_cast<const char*>(from), size);
  text = text.substr(0, text.find('\0'));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::optional<std::vector<Leaf>> leaves_of(hid_t native, const std::string& name,
                                           std::size_t most) {
  Flattener flattener(most);
  if (!flattener.visit(native, name, 0, 0)) return std::nullopt;
  return std::move(flattener.leaves);
}

std::optional<std::vector<std::string>> dataset_texts(hid_t dataset, std::size_t most) {
  const Handle type = type_handle(H5Dget_type(dataset));
  const Handle space = space_handle(H5Dget_space(dataset));
  if (!type.ok() || !space.ok()) return std::nullopt;
  return texts(type.id(), space.id(), most, [&](hid_t memory_type, void* to) {
    return H5Dread(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
  });
}

std::optional<std::vector<std::string>> attribute_texts(hid_t object, const char* name,
                                                        std::size_t most) {
  if (H5Aexists(object, name) <= 0) return std::nullopt;
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
  const Handle type = type_handle(H5Aget_type(attribute.id()));
  const Handle space = space_handle(H5Aget_space(attribute.id()));
  if (!type.ok() || !space.ok()) return std::nullopt;
  return texts(type.id(), space.id(), most, [&](hid_t memory_type, void* to) {
    return H5Aread(attribute.id(), memory_type, to);
  });
}

std::optional<std::string> attribute_text(hid_t object, const char* name) {
  auto found = attribute_texts(object, name, 1);
  if (!found || found->size() != 1) return std::nullopt;
  return std::move(found->front());
}

}  // namespace mase::io::hdf5
