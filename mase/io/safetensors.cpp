// The safetensors format: header length, JSON header, raw bytes without holes or overlaps
// (https://github.com/huggingface/safetensors#format).
#include "mase/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>

namespace mase::io {
namespace {

using ir::DType;
using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxJsonHeader = 100'000'000;
constexpr std::string_view kMetadataKey = "__metadata__";

struct TypeName {
  std::string_view name;
  DType type;
};
constexpr std::array kTypes{
    TypeName{"BOOL", DType::Bool},   TypeName{"U8", DType::UInt8},
    TypeName{"I8", DType::Int8},     TypeName{"I16", DType::Int16},
    TypeName{"I32", DType::Int32},   TypeName{"I64", DType::Int64},
    TypeName{"F16", DType::Float16}, TypeName{"BF16", DType::BFloat16},
    TypeName{"F32", DType::Float32}, TypeName{"F64", DType::Float64},
};

std::string_view name_of(DType type) {
  return std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return t.type == type; })
      ->name;
}

struct Entry {
  std::string name;
  DType type = DType::Float32;
  ir::Shape shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

std::optional<std::vector<std::uint64_t>> naturals(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<std::uint64_t> out;
  for (const Json& item : json) {
    if (!item.is_number_unsigned() || item.get<std::uint64_t>() > std::uint64_t{1} << 62) {
      return std::nullopt;
    }
    out.push_back(item.get<std::uint64_t>());
  }
  return out;
}

// What is wrong with one entry of the header, or "".
std::string parse_entry(const Json& json, std::uint64_t data_size, Entry& out) {
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets") || !json["dtype"].is_string()) {
    return "lacks dtype, shape or data_offsets";
  }
  const auto type_name = json["dtype"].get<std::string>();
  const auto type = std::find_if(kTypes.begin(), kTypes.end(),
                                 [&](const auto& t) { return t.name == type_name; });
  if (type == kTypes.end()) return fmt::format("has the unsupported dtype {}", type_name);
  out.type = type->type;
  const auto shape = naturals(json["shape"]);
  const auto offsets = naturals(json["data_offsets"]);
  if (!shape || !offsets || offsets->size() != 2) return "has an unreadable shape or place";
  out.shape.assign(shape->begin(), shape->end());
  out.begin = (*offsets)[0];
  out.end = (*offsets)[1];
  if (out.begin > out.end || out.end > data_size) return "lies outside the file";
  const auto needed = dense_bytes(out.shape, size_of(out.type));
  if (!needed || *needed != out.end - out.begin) {
    return fmt::format("has {} bytes, which do not fit its shape {}", out.end - out.begin,
                       ir::text(out.shape));
  }
  return {};
}

bool covers(const std::vector<Entry>& entries, std::uint64_t size) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
  for (const Entry& entry : entries) places.emplace_back(entry.begin, entry.end);
  std::sort(places.begin(), places.end());
  std::uint64_t at = 0;
  for (const auto& [begin, end] : places) {
    if (begin != at) return false;
    at = end;
  }
  return at == size;
}

}  // namespace

Result<SafeTensors> parse_safetensors(std::span<const std::byte> bytes,
                                      const std::string& file_name) {
  const Location where{.file = file_name};
  Cursor cursor(bytes);
  const auto length = cursor.number<std::uint64_t>();
  if (!length) return ReadError{"safetensors: the file is shorter than its header's length", where};
  if (*length > kMaxJsonHeader) {
    return ReadError{"safetensors: a header of over 100 MB (not a safetensors file?)", where};
  }
  const auto text = cursor.take(*length);
  if (!text) return ReadError{"safetensors: the header is cut off", where};
  const std::string_view view = text_of(*text);
  const Json header = Json::parse(view.begin(), view.end(), nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) return ReadError{"safetensors: the header is not a JSON object", where};

  SafeTensors out;
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items()) {
    if (name == kMetadataKey) {
      if (!json.is_object()) return ReadError{"safetensors: __metadata__ is no object", where};
      for (const auto& [key, value] : json.items()) {
        if (!value.is_string())
          return ReadError{"safetensors: __metadata__ holds more than texts", where};
        out.metadata.emplace_back(key, value.get<std::string>());
      }
      continue;
    }
    Entry entry{.name = name};
    if (const std::string problem = parse_entry(json, cursor.left(), entry); !problem.empty()) {
      return ReadError{fmt::format("safetensors: '{}' {}", name, problem), where};
    }
    entries.push_back(std::move(entry));
  }
  if (!covers(entries, cursor.left())) {
    return ReadError{"safetensors: tensors overlap or leave bytes unused", where};
  }
  const auto data = bytes.subspan(cursor.position());
  for (const Entry& entry : entries) {
    out.tensors.emplace_back(
        entry.name, copy_tensor(entry.shape, entry.type,
                                data.subspan(static_cast<std::size_t>(entry.begin),
                                             static_cast<std::size_t>(entry.end - entry.begin))));
  }
  return out;
}

Result<SafeTensors> read_safetensors(const std::filesystem::path& path) {
  const auto file = map_file(path);
  if (!file) return file.error();
  return parse_safetensors(file->bytes, path.string());
}

std::string safetensors_bytes(const SafeTensors& content) {
  const auto& tensors = content.tensors;
  // Wide elements first, so that every tensor is aligned to its element.
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return size_of(tensors[a].second.dtype()) > size_of(tensors[b].second.dtype());
  });
  std::vector<std::uint64_t> begin(tensors.size());
  std::uint64_t end = 0;
  for (const std::size_t i : order) {
    begin[i] = end;
    end += tensors[i].second.bytes();
  }

  Json header = Json::object();
  for (const auto& [key, value] : content.metadata) header[std::string(kMetadataKey)][key] = value;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    header[name] = {{"dtype", name_of(tensor.dtype())},
                    {"shape", tensor.shape()},
                    {"data_offsets", {begin[i], begin[i] + tensor.bytes()}}};
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');

  std::string out;
  out.reserve(8 + text.size() + static_cast<std::size_t>(end));
  put<std::uint64_t>(out, text.size());
  out += text;
  for (const std::size_t i : order) {
    const ir::Tensor& tensor = tensors[i].second;
    out.append(reinterpret_cast<const char*>(tensor.data()), tensor.bytes());
  }
  return out;
}

void write_safetensors(const std::filesystem::path& path, const SafeTensors& content) {
  write_file(path, safetensors_bytes(content));
}

}  // namespace mase::io
