// Tensors of a torch.save file: a call of torch._utils._rebuild_tensor_v2 on a storage, which is a
// persistent id ('storage', class, key, device, count) and a zip member of raw bytes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "mase/io/torch/numpy_scalar.h"
#include "mase/io/torch/torch_archive.h"
#include "mase/io/torch/torch_storage.h"
#include "mase/support/printable.h"

namespace mase::io {
namespace {

using ir::DType;
using ir::Shape;
using ir::Tensor;
using ir::Value;

constexpr int kMaxModuleDepth = 200;
// Offsets in storages, in elements: two of them do not overflow.
constexpr std::int64_t kFarthest = std::int64_t{1} << 60;
// What a packed member counts as, times its packed size.
constexpr std::uint64_t kPacked = 16;

std::optional<Shape> integers(const Object& object) {
  if (object.kind() != Object::Kind::Tuple) return std::nullopt;
  Shape out;
  for (const Object& item : object.items()) {
    const auto value = item.integer();
    if (!value) return std::nullopt;
    out.push_back(*value);
  }
  return out;
}

// One past the last element that a view touches; nullopt if a number is out of range.
std::optional<std::uint64_t> extent(std::int64_t offset, const Shape& shape, const Shape& stride) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 60;
  if (offset < 0 || static_cast<std::uint64_t>(offset) > kMost) return std::nullopt;
  auto last = static_cast<std::uint64_t>(offset);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0) return 0;
    if (stride[d] < 0) return std::nullopt;
    const auto steps = static_cast<std::uint64_t>(shape[d] - 1);
    const auto step = static_cast<std::uint64_t>(stride[d]);
    if (steps != 0 && step > kMost / steps) return std::nullopt;
    last += steps * step;
    if (last > kMost) return std::nullopt;
  }
  return last + 1;
}

bool is_dense(const Shape& shape, const Shape& stride) {
  std::int64_t expected = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (shape[d] != 1 && stride[d] != expected) return false;
    expected *= shape[d];
  }
  return true;
}

// Gathers a strided view, row-major.
Tensor gather(const std::byte* from, const Shape& shape, const Shape& stride, DType type) {
  Tensor out(shape, type);
  const std::size_t size = size_of(type);
  std::byte* to = out.data_mut();
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < out.size(); ++i, to += size) {
    std::memcpy(to, from + static_cast<std::size_t>(at) * size, size);
    for (std::size_t d = shape.size(); d-- > 0;) {
      at += stride[d];
      if (++index[d] < shape[d]) break;
      at -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}

}  // namespace

Result<TorchArchive> TorchArchive::parse(ZipReader zip) {
  constexpr std::string_view kPickle = "/data.pkl";
  TorchArchive out;
  const Location where{.file = zip.file_name()};
  const auto& entries = zip.entries();
  const auto at = std::find_if(entries.begin(), entries.end(),
                               [&](const ZipEntry& e) { return e.name.ends_with(kPickle); });
  if (at == entries.end()) {
    return ReadError{"not a PyTorch file: the archive has no data.pkl", where};
  }
  out.prefix_ = at->name.substr(0, at->name.size() - kPickle.size() + 1);
  if (zip.find(out.prefix_ + "constants.pkl")) {
    return ReadError{"a TorchScript program, not a checkpoint; save its state_dict()", where};
  }
  if (const ZipEntry* order = zip.find(out.prefix_ + "byteorder")) {
    const auto text = zip.start(*order, 8);
    if (!text) return text.error();
    if (text_of(text->bytes) != "little") {
      return ReadError{"written on a big-endian machine; save it again on a little-endian one",
                       where};
    }
  }
  std::uint64_t file_bytes = 0;
  for (const ZipEntry& entry : entries) {
    file_bytes += std::min(entry.size, entry.compressed_size * kPacked);
  }
  out.budget_ = file_bytes * kUnfold + kFloor;
  const auto bytes = zip.read(*at, honest_size(*at));
  if (!bytes) return bytes.error();
  auto root = parse_pickle(bytes->bytes, zip.file_name());
  if (!root) return root.error();
  out.root_ = *std::move(root);
  out.file_name_ = zip.file_name();
  out.zip_ = std::move(zip);
  return out;
}

ReadError TorchArchive::error(std::string message) const {
  return {std::move(message), {.file = file_name_}};
}

bool TorchArchive::charge(std::uint64_t bytes) {
  if (bytes > budget_) return false;
  budget_ -= bytes;
  return true;
}

std::string_view TorchArchive::unread_kind(const Object& object) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kKinds{
      {{"_rebuild_sparse_tensor", "a sparse tensor"},
       {"_rebuild_sparse_csr_tensor", "a sparse tensor"},
       {"_rebuild_qtensor", "a tensor quantised by PyTorch"},
       {"_rebuild_nested_tensor", "a nested tensor"},
       {"_rebuild_meta_tensor_no_storage", "a tensor without values (device meta)"},
       {"_rebuild_device_tensor_from_numpy", "a tensor of another device"},
       {"_rebuild_device_tensor_from_cpu_tensor", "a tensor of another device"},
       {"_rebuild_wrapper_subclass", "a tensor of a class of its own"}}};
  for (const auto& [function, kind] : kKinds) {
    if (object.is_call("torch._utils", function)) return kind;
  }
  return "";
}

bool TorchArchive::is_tensor(const Object& object) {
  return object.is_call("torch._utils", "_rebuild_tensor_v2") ||
         object.is_call("torch._utils", "_rebuild_tensor") ||
         object.is_call("torch._utils", "_rebuild_tensor_v3") ||
         object.is_call("torch._utils", "_rebuild_parameter") ||
         object.is_call("torch._utils", "_rebuild_parameter_with_state") ||
         object.is_call("torch._tensor", "_rebuild_from_type_v2");
}

Result<TensorView> TorchArchive::view(const Object& object) {
  const auto arguments = object.arguments();
  if (arguments.size() < 4 || arguments[0].kind() != Object::Kind::Persistent) {
    return error("a tensor without a storage");
  }
  const auto id = arguments[0].items()[0].items();
  if (id.size() < 5 || !id[0].text() || *id[0].text() != "storage" || !id[2].text()) {
    return error("a tensor whose storage cannot be read");
  }
  TensorView out{.key = *id[2].text()};
  std::string type_name = id[1].global_name();
  if (object.is_call("torch._utils", "_rebuild_tensor_v3")) {
    if (arguments.size() < 7) return error("a tensor without its type");
    type_name = arguments[6].global_name();  // the storage is untyped
    if (!ir::parse_dtype(type_name, out.type)) {
      return error(fmt::format("tensors of type {} are not supported", type_name));
    }
  } else if (!parse_storage_class(type_name, out.type)) {
    return error(fmt::format("tensors with storage class {} are not supported", type_name));
  }
  const auto offset = arguments[1].integer();
  auto shape = integers(arguments[2]);
  auto stride = integers(arguments[3]);
  if (!offset || !shape || !stride || shape->size() != stride->size()) {
    return error("a tensor whose shape cannot be read");
  }
  out.offset = *offset;
  // Old files describe a part of a storage by (key, offset, size) behind its id.
  if (id.size() > 5 && id[5].items().size() == 3) {
    const auto part = id[5].items()[1].integer();
    if (!part || *part < 0 || *part > kFarthest || out.offset > kFarthest) {
      return error("a tensor whose storage cannot be read");
    }
    out.offset += *part;
  }
  out.shape = *std::move(shape);
  out.stride = *std::move(stride);
  for (std::size_t d = 0; d < out.shape.size(); ++d) {
    if (out.shape[d] == 1) out.stride[d] = 0;  // never stepped along, may hold anything
  }
  return out;
}

Result<Bytes> TorchArchive::storage(const std::string& key, std::uint64_t needed) {
  const std::string member = fmt::format("{}data/{}", prefix_, key);
  const ZipEntry* entry = zip_.find(member);
  if (const auto at = storages_.find(key);
      at != storages_.end() &&
      (!entry || at->second.bytes.size() >= std::min(needed, entry->size))) {
    return at->second;
  }
  if (!entry) return error(fmt::format("the storage '{}' is missing", shortened(key)));
  const bool packed = entry->method != 0;
  if (packed && !charge(std::min(needed, entry->size))) {
    return error("tensors that unfold to far more than the file holds");
  }
  auto bytes = packed ? zip_.start(*entry, needed) : zip_.read(*entry);
  if (bytes) storages_.insert_or_assign(key, *bytes);
  return bytes;
}

Result<Tensor> TorchArchive::tensor(const Object& object) {
  // Parameters and subclasses wrap the call that makes the plain tensor.
  const Object* inner = &object;
  Object unwrapped;
  for (int depth = 0; depth < 8 && is_tensor(*inner); ++depth) {
    const auto arguments = inner->arguments();
    if (inner->is_call("torch._utils", "_rebuild_parameter") ||
        inner->is_call("torch._utils", "_rebuild_parameter_with_state")) {
      if (arguments.empty()) return error("an empty parameter");
      unwrapped = Object(arguments[0]);
    } else if (inner->is_call("torch._tensor", "_rebuild_from_type_v2")) {
      if (arguments.size() < 3) return error("an empty tensor");
      unwrapped = Object::call(arguments[0], arguments[2]);
    } else {
      break;
    }
    inner = &unwrapped;
  }
  if (!is_tensor(*inner)) {
    return error(fmt::format("{} is not a dense tensor", shortened(inner->global_name())));
  }
  const auto place = view(*inner);
  if (!place) return place.error();
  const auto bytes = dense_bytes(place->shape, size_of(place->type));
  const auto end = extent(place->offset, place->shape, place->stride);
  if (!bytes || !end) return error("a tensor with an impossible shape");
  const std::size_t element = size_of(place->type);
  const auto raw = storage(place->key, *end * element);
  if (!raw) return raw.error();
  if (*end > raw->bytes.size() / element) {
    return error(fmt::format("storage {} holds {} bytes, a tensor of shape {} needs more",
                             place->key, raw->bytes.size(), ir::text(place->shape)));
  }
  if (!charge(*bytes)) return error("tensors that unfold to far more than the file holds");
  if (*bytes == 0) return Tensor(place->shape, place->type);
  const auto from = raw->bytes.subspan(static_cast<std::size_t>(place->offset) * element);
  if (is_dense(place->shape, place->stride)) {
    return copy_tensor(place->shape, place->type, from.first(static_cast<std::size_t>(*bytes)));
  }
  Tensor out = gather(from.data(), place->shape, place->stride, place->type);
  normalise_bools(out);
  return out;
}

Result<Value> TorchArchive::value(const Object& object, int depth) {
  using Kind = Object::Kind;
  if (depth > kMaxModuleDepth) return error("nested too deep");
  if (!charge(sizeof(Value) + object.raw().size())) {
    return error("values that unfold to far more than the file holds");
  }
  switch (object.kind()) {
    case Kind::None:
      return Value();
    case Kind::Bool:
      return Value(*object.boolean());
    case Kind::Int:
      return Value(*object.integer());
    case Kind::Float:
      return Value(*object.real());
    case Kind::Text:
      return Value(*object.text());
    case Kind::Tuple:
    case Kind::List: {
      ir::List items;
      for (const Object& item : object.items()) {
        auto next = value(item, depth + 1);
        if (!next) return next;
        items.push_back(*std::move(next));
      }
      if (object.kind() == Kind::Tuple) return Value(ir::Tuple{std::move(items)});
      return Value(std::move(items));
    }
    case Kind::BigInt:
      return Value(ir::TypeName{"int"});
    case Kind::Bytes:
      return Value(ir::TypeName{"bytes"});
    case Kind::Set:
      return Value(ir::TypeName{"set"});
    case Kind::Persistent:
      return Value(ir::TypeName{"storage"});
    case Kind::Global: {
      const std::string name = object.global_name();
      DType type;
      if (name.starts_with("torch.") && ir::parse_dtype(name, type)) return Value(type);
      return Value(ir::TypeName{name});
    }
    case Kind::Call: {
      if (is_tensor(object)) {
        auto made = tensor(object);
        if (!made) return made.error();
        return Value(*std::move(made));
      }
      if (auto number = numpy_scalar(object)) return *std::move(number);
      // collections.Counter is made from a dictionary: a schedule's milestones.
      if (object.is_call("collections", "Counter") && object.arguments().size() == 1) {
        return value(object.arguments()[0], depth + 1);
      }
      if (object.entries().empty() && !object.is_mapping()) {
        return Value(ir::TypeName{object.global_name()});
      }
      break;  // a kind of dictionary
    }
    case Kind::Dict:
      break;
  }
  ir::Dict out;
  for (const auto& [key, item] : object.entries()) {
    std::string name = key.raw();
    if (const auto number = key.integer()) name = fmt::format("{}", *number);
    if (!charge(sizeof(Value) + name.size())) {
      return error("values that unfold to far more than the file holds");
    }
    auto next = value(item, depth + 1);
    if (!next) return next;
    out.emplace_back(std::move(name), *std::move(next));
  }
  return Value(std::move(out));
}

}  // namespace mase::io
