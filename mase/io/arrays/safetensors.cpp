// The safetensors format: header length, JSON header, raw bytes without holes or overlaps
// (https://github.com/huggingface/safetensors#format).
#include "mase/io/arrays/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <unordered_set>

#include "mase/ir/value.h"
#include "mase/support/printable.h"

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

// Takes the header as its parser meets it: {name: {dtype, shape, data_offsets}, ...} without a tree
// of it, so that time and memory grow with its length alone. Other keys of an entry are passed
// over.
class Header : public nlohmann::json_sax<Json> {
 public:
  Header(std::uint64_t data_size, SafeTensors& out) : data_size_(data_size), out_(out) {}

  std::vector<Entry> entries;
  std::string problem;  // what is wrong, once parsing stopped

  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(std::int64_t) override { return other(); }
  bool number_float(double, const std::string&) override { return other(); }
  bool binary(Json::binary_t&) override { return other(); }

  bool number_unsigned(std::uint64_t value) override {
    if (depth_ != 3 || !numbers_ || value > kMostElements) return other();
    numbers_->push_back(value);
    return true;
  }
  bool string(std::string& value) override {
    if (depth_ == 2 && in_metadata_) {
      if (!keys_.insert(key_).second) return fail_whole("__metadata__ has a key twice");
      out_.metadata.emplace_back(key_, std::move(value));
    } else if (depth_ == 2 && key_ == "dtype") {
      type_ = std::move(value);
    } else {
      return other();
    }
    return true;
  }
  bool start_object(std::size_t) override {
    if (++depth_ == 1) return true;
    if (depth_ > 2) return other();
    in_metadata_ = name_ == kMetadataKey;
    if (!names_.insert(name_).second) return fail("is there twice");
    type_.reset();
    shape_.reset();
    place_.reset();
    return true;
  }
  bool key(std::string& value) override {
    if (depth_ == 1) name_ = std::move(value);
    if (depth_ == 2) key_ = std::move(value);
    return true;
  }
  bool end_object() override { return --depth_ != 1 || in_metadata_ || add(); }
  bool start_array(std::size_t) override {
    if (++depth_ == 1) return fail_whole("the header is not a JSON object");
    if (depth_ != 3) return other();
    if (!in_metadata_ && key_ == "shape") numbers_ = &shape_.emplace();
    if (!in_metadata_ && key_ == "data_offsets") numbers_ = &place_.emplace();
    return numbers_ || other();
  }
  bool end_array() override {
    --depth_;
    numbers_ = nullptr;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return fail_whole("the header is not JSON");
  }

 private:
  bool fail_whole(std::string_view what) {
    problem = fmt::format("safetensors: {}", what);
    return false;
  }
  bool fail(std::string_view what) {
    return fail_whole(fmt::format("'{}' {}", shortened(name_), what));
  }
  // A value of no use: an error where one of use should be.
  bool other() {
    if (depth_ == 0) return fail_whole("the header is not a JSON object");
    if (depth_ == 1) return fail("lacks dtype, shape or data_offsets");
    if (in_metadata_) return fail_whole("__metadata__ holds more than texts");
    if (key_ == "dtype") return fail("lacks dtype, shape or data_offsets");
    if (key_ == "shape" || key_ == "data_offsets") return fail("has an unreadable shape or place");
    return true;
  }
  bool add() {
    if (!type_ || !shape_ || !place_) return fail("lacks dtype, shape or data_offsets");
    const auto type =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return t.name == *type_; });
    if (type == kTypes.end()) {
      return fail(fmt::format("has the unsupported dtype {}", shortened(*type_)));
    }
    if (place_->size() != 2) return fail("has an unreadable shape or place");
    Entry entry{.name = name_,
                .type = type->type,
                .shape = {shape_->begin(), shape_->end()},
                .begin = (*place_)[0],
                .end = (*place_)[1]};
    if (entry.begin > entry.end || entry.end > data_size_) return fail("lies outside the file");
    const auto needed = dense_bytes(entry.shape, size_of(entry.type));
    if (!needed || *needed != entry.end - entry.begin) {
      return fail(fmt::format("has {} bytes, which do not fit its shape {}",
                              entry.end - entry.begin, shortened(ir::text(entry.shape))));
    }
    entries.push_back(std::move(entry));
    return true;
  }

  static constexpr std::uint64_t kMostElements = std::uint64_t{1} << 62;

  std::uint64_t data_size_;
  SafeTensors& out_;
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> keys_;  // of the metadata
  int depth_ = 0;
  bool in_metadata_ = false;
  std::string name_;  // of the entry, and the key in it
  std::string key_;
  std::optional<std::string> type_;
  std::optional<std::vector<std::uint64_t>> shape_;
  std::optional<std::vector<std::uint64_t>> place_;
  std::vector<std::uint64_t>* numbers_ = nullptr;  // what an array's numbers go to
};

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

bool looks_like_safetensors(std::span<const std::byte> bytes) {
  Cursor cursor(bytes);
  const auto length = cursor.number<std::uint64_t>();
  return length && *length > 0 && *length <= cursor.left() &&
         bytes[cursor.position()] == std::byte{'{'};
}

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
  SafeTensors out;
  Header header(cursor.left(), out);
  if (!Json::sax_parse(view.begin(), view.end(), &header) || !header.problem.empty()) {
    return ReadError{header.problem, where};
  }
  const std::vector<Entry>& entries = header.entries;
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
  const auto file = load_file(path);
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

  std::string text = "{";
  const auto quoted = [](std::string_view name) { return ir::json_text(Json(name)); };
  if (!content.metadata.empty()) {
    text += fmt::format("{}:{{", quoted(kMetadataKey));
    for (std::size_t i = 0; i < content.metadata.size(); ++i) {
      const auto& [key, value] = content.metadata[i];
      text += fmt::format("{}{}:{}", i ? "," : "", quoted(key), quoted(value));
    }
    text += '}';
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    text += fmt::format(R"({}{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                        text.size() > 1 ? "," : "", quoted(name), name_of(tensor.dtype()),
                        fmt::join(tensor.shape(), ","), begin[i], begin[i] + tensor.bytes());
  }
  text += '}';
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
