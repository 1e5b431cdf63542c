// Files of torch.save before version 1.6, through the same reader of pickles: data, never code.
//   stream  magic number, protocol, facts on the machine, the tree, the keys of its storages (a
//           pickle each), then for each key its number of elements (int64) and the elements
//   tar     members `storages`, `tensors` and `pickle`, whose references are numbers of tensors
#include <fmt/format.h>

#include <charconv>

#include "mase/io/torch/torch_archive.h"
#include "mase/io/torch/torch_storage.h"

namespace mase::io {
namespace {

// torch.serialization.MAGIC_NUMBER, lowest byte first.
constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::int64_t kProtocol = 1001;

// Pickles and raw numbers one behind the other. The first mistake ends the reading.
class Stream {
 public:
  Stream(std::span<const std::byte> bytes, std::string file_name)
      : bytes_(bytes), file_name_(std::move(file_name)) {}

  bool failed() const { return error_.has_value(); }
  ReadError error() const { return *error_; }
  void fail(std::string message) {
    if (!error_) error_ = ReadError{std::move(message), {.file = file_name_}};
  }

  Object pickle(const std::function<Object(const Object&)>& resolve = {}) {
    if (failed()) return {};
    std::size_t size = 0;
    auto object =
        parse_pickle(bytes_.subspan(at_), file_name_, {.size = &size, .resolve = resolve});
    if (!object) {
      error_ = object.error();
      return {};
    }
    at_ += size;
    return *std::move(object);
  }
  std::span<const std::byte> take(std::uint64_t count) {
    Cursor cursor(bytes_, at_);
    const auto out = cursor.take(count);
    if (!out) fail("the file is cut off within its tensors");
    if (failed()) return {};
    at_ = cursor.position();
    return *out;
  }
  template <typename T>
  T number() {
    Cursor cursor(take(sizeof(T)));
    return cursor.number<T>().value_or(0);
  }
  std::vector<std::int64_t> numbers(std::size_t count) {
    std::vector<std::int64_t> out;
    while (out.size() < count && !failed()) out.push_back(number<std::int64_t>());
    return out;
  }
  // The elements of a storage behind their number.
  std::span<const std::byte> elements(ir::DType type) {
    const auto count = number<std::int64_t>();
    const std::size_t size = ir::size_of(type);
    if (count < 0 || static_cast<std::uint64_t>(count) > bytes_.size() / size) {
      fail("a storage that claims more elements than the file holds");
      return {};
    }
    return take(static_cast<std::uint64_t>(count) * size);
  }

 private:
  std::span<const std::byte> bytes_;
  std::string file_name_;
  std::size_t at_ = 0;
  std::optional<ReadError> error_;
};

// Keys of storages and tensors are texts or numbers.
std::string key_text(const Object& key) {
  if (const auto number = key.integer()) return fmt::format("{}", *number);
  return key.raw();
}

bool starts_with_magic(std::span<const std::byte> bytes) {
  if (bytes.empty() || bytes[0] != std::byte{0x80}) return false;
  constexpr std::size_t kEnough = 64;
  const auto first = parse_pickle(bytes.first(std::min(bytes.size(), kEnough)), "");
  return first && first->kind() == Object::Kind::BigInt && first->raw() == kMagic;
}

// --- tar archives ---

constexpr std::size_t kBlock = 512;

std::optional<std::uint64_t> octal(std::string_view field) {
  const std::size_t from = std::min(field.find_first_not_of(' '), field.size());
  std::uint64_t value = 0;
  const auto [end, code] =
      std::from_chars(field.data() + from, field.data() + field.size(), value, 8);
  if (code != std::errc() || end == field.data() + from) return std::nullopt;
  return value;
}

bool looks_like_tar(std::span<const std::byte> bytes) {
  return bytes.size() >= kBlock && text_of(bytes.subspan(257, 5)) == "ustar";
}

// The bytes of a member; empty if there is none. Names of the files meant here are short.
std::span<const std::byte> tar_member(std::span<const std::byte> archive, std::string_view wanted) {
  for (std::size_t at = 0; archive.size() - at >= kBlock;) {
    const std::string_view head = text_of(archive.subspan(at, kBlock));
    const auto size = octal(head.substr(124, 12));
    at += kBlock;
    if (!size || *size > archive.size() - at) return {};
    std::string_view name = head.substr(0, std::min<std::size_t>(head.find('\0'), 100));
    if (name.starts_with("./")) name.remove_prefix(2);
    const bool file = head[156] == '0' || head[156] == '\0';
    if (file && name == wanted) return archive.subspan(at, static_cast<std::size_t>(*size));
    const std::uint64_t padded = (*size + kBlock - 1) / kBlock * kBlock;
    at += static_cast<std::size_t>(std::min<std::uint64_t>(padded, archive.size() - at));
  }
  return {};
}

struct OldStorage {
  ir::DType type = ir::DType::Float32;
  std::string type_name;
  std::span<const std::byte> bytes;
};
using OldStorages = std::map<std::string, OldStorage>;

OldStorages read_tar_storages(Stream& stream) {
  OldStorages out;
  const std::int64_t count = stream.pickle().integer().value_or(0);
  for (std::int64_t i = 0; i < count && !stream.failed(); ++i) {
    const Object entry = stream.pickle();  // (key, device, class)
    if (entry.items().size() != 3) stream.fail("a storage without its key");
    if (stream.failed()) return out;
    OldStorage storage{.type_name = entry.items()[2].global_name()};
    if (!parse_storage_class(storage.type_name, storage.type)) {
      stream.fail(fmt::format("storages of class {} are not supported", storage.type_name));
    }
    storage.bytes = stream.elements(storage.type);
    out.insert_or_assign(key_text(entry.items()[0]), std::move(storage));
  }
  // Parts of storages: (key, key of the whole, first element, elements).
  const Object parts = stream.pickle();
  for (const Object& part : parts.items()) {
    const auto items = part.items();
    const auto whole = items.size() == 4 ? out.find(key_text(items[1])) : out.end();
    if (whole == out.end()) {
      stream.fail("a part of no storage");
      return out;
    }
    const std::size_t size = ir::size_of(whole->second.type);
    const std::size_t most = whole->second.bytes.size() / size;
    const auto first = static_cast<std::uint64_t>(items[2].integer().value_or(-1));
    const auto length = static_cast<std::uint64_t>(items[3].integer().value_or(-1));
    if (first > most || length > most - first) {
      stream.fail("a part beyond a storage");
      return out;
    }
    OldStorage storage = whole->second;
    storage.bytes = storage.bytes.subspan(first * size, length * size);
    out.insert_or_assign(key_text(items[0]), std::move(storage));
  }
  return out;
}

// A tensor as newer files describe it.
Object rebuild_call(const std::string& storage, const OldStorage& of, std::int64_t offset,
                    const std::vector<std::int64_t>& shape,
                    const std::vector<std::int64_t>& stride) {
  const auto tuple = [](const std::vector<std::int64_t>& numbers) {
    return Object::tuple(std::vector<Object>(numbers.begin(), numbers.end()));
  };
  const std::size_t dot = of.type_name.rfind('.');
  const Object type = Object::global(of.type_name.substr(0, dot), of.type_name.substr(dot + 1));
  const auto elements = static_cast<std::int64_t>(of.bytes.size() / ir::size_of(of.type));
  const Object id = Object::persistent(
      Object::tuple({Object("storage"), type, Object(storage), Object("cpu"), Object(elements)}));
  return Object::call(Object::global("torch._utils", "_rebuild_tensor"),
                      Object::tuple({id, Object(offset), tuple(shape), tuple(stride)}));
}

std::map<std::string, Object> read_tar_tensors(Stream& stream, const OldStorages& storages) {
  constexpr std::int32_t kMostDimensions = 64;
  std::map<std::string, Object> out;
  const std::int64_t count = stream.pickle().integer().value_or(0);
  for (std::int64_t i = 0; i < count && !stream.failed(); ++i) {
    const Object entry = stream.pickle();  // (key, key of the storage, class)
    const auto items = entry.items();
    const auto storage = items.size() == 3 ? storages.find(key_text(items[1])) : storages.end();
    const auto dimensions = stream.number<std::int32_t>();
    stream.take(4);
    if (storage == storages.end() || dimensions < 0 || dimensions > kMostDimensions) {
      stream.fail("a tensor whose storage or shape cannot be read");
      return out;
    }
    const auto shape = stream.numbers(static_cast<std::size_t>(dimensions));
    const auto stride = stream.numbers(static_cast<std::size_t>(dimensions));
    const auto offset = stream.number<std::int64_t>();
    out.insert_or_assign(key_text(items[0]),
                         rebuild_call(storage->first, storage->second, offset, shape, stride));
  }
  return out;
}

}  // namespace

std::optional<Result<TorchArchive>> TorchArchive::parse_old(const Bytes& bytes,
                                                            const std::string& file_name) {
  if (looks_like_tar(bytes.bytes)) return parse_tar(bytes, file_name);
  if (starts_with_magic(bytes.bytes)) return parse_stream(bytes, file_name);
  return std::nullopt;
}

Result<TorchArchive> TorchArchive::parse_stream(const Bytes& bytes, const std::string& file_name) {
  Stream stream(bytes.bytes, file_name);
  stream.pickle();  // the magic number
  if (stream.pickle().integer() != kProtocol) stream.fail("an unknown protocol of torch.save");
  const Object machine = stream.pickle();
  const Object* little = machine.find("little_endian");
  if (little && !little->boolean().value_or(true)) {
    stream.fail("written on a big-endian machine; save it again on a little-endian one");
  }
  std::map<std::string, std::string> classes;  // of the storages that the tree refers to
  TorchArchive out;
  out.root_ = stream.pickle([&](const Object& id) {
    const auto items = id.items();
    if (items.size() >= 5 && items[0].raw() == "storage") {
      classes.insert_or_assign(key_text(items[2]), items[1].global_name());
    }
    // A class of a network, with its source text: ("module", class, file, source).
    if (items.size() >= 2 && items[0].raw() == "module") return items[1];
    return Object();
  });
  const Object keys = stream.pickle();
  for (const Object& key : keys.items()) {
    ir::DType type;
    const std::string& name = classes[key_text(key)];
    if (!parse_storage_class(name, type)) {
      stream.fail(fmt::format("storages of class '{}' are not supported", name));
    }
    if (stream.failed()) break;
    out.storages_.insert_or_assign(key_text(key), Bytes{stream.elements(type), bytes.owner});
  }
  if (stream.failed()) return stream.error();
  out.file_name_ = file_name;
  out.budget_ = bytes.bytes.size() * kUnfold + kFloor;
  return out;
}

Result<TorchArchive> TorchArchive::parse_tar(const Bytes& bytes, const std::string& file_name) {
  const auto member = [&](std::string_view name) { return tar_member(bytes.bytes, name); };
  if (member("pickle").empty()) {
    return ReadError{"a tar archive, but none of torch.save", {.file = file_name}};
  }
  Stream storage_stream(member("storages"), file_name);
  const OldStorages storages = read_tar_storages(storage_stream);
  if (storage_stream.failed()) return storage_stream.error();
  Stream tensor_stream(member("tensors"), file_name);
  const auto tensors = read_tar_tensors(tensor_stream, storages);
  if (tensor_stream.failed()) return tensor_stream.error();

  TorchArchive out;
  Stream tree(member("pickle"), file_name);
  out.root_ = tree.pickle([&](const Object& id) {
    const auto found = tensors.find(key_text(id));
    return found == tensors.end() ? Object() : found->second;
  });
  if (tree.failed()) return tree.error();
  for (const auto& [key, storage] : storages) {
    out.storages_.emplace(key, Bytes{storage.bytes, bytes.owner});
  }
  out.file_name_ = file_name;
  out.budget_ = bytes.bytes.size() * kUnfold + kFloor;
  return out;
}

}  // namespace mase::io
