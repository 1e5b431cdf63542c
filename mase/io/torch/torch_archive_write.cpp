// torch.save's zip layout: data.pkl, byteorder, data/<n>, version.
#include <fmt/format.h>

#include "mase/io/torch/torch_archive.h"
#include "mase/support/error.h"

namespace mase::io {
namespace {

using ir::DType;
using ir::Value;

std::string_view storage_class(DType type) {
  switch (type) {
    case DType::Bool:
      return "BoolStorage";
    case DType::UInt8:
      return "ByteStorage";
    case DType::Int8:
      return "CharStorage";
    case DType::Int16:
      return "ShortStorage";
    case DType::Int32:
      return "IntStorage";
    case DType::Int64:
      return "LongStorage";
    case DType::Float16:
      return "HalfStorage";
    case DType::BFloat16:
      return "BFloat16Storage";
    case DType::Float32:
      return "FloatStorage";
    case DType::Float64:
      return "DoubleStorage";
  }
  return "";
}

Object sizes(const ir::Shape& shape) {
  std::vector<Object> out;
  for (const std::int64_t d : shape) out.emplace_back(d);
  return Object::tuple(std::move(out));
}

}  // namespace

Object TorchWriter::add(const ir::Tensor& tensor) {
  if (!tensor.defined()) internal_error("an empty tensor cannot be saved");
  ir::Shape stride(tensor.shape().size(), 1);
  for (std::size_t d = stride.size(); d-- > 1;) stride[d - 1] = stride[d] * tensor.dim(d);
  const auto storage = Object::persistent(
      Object::tuple({"storage", Object::global("torch", std::string(storage_class(tensor.dtype()))),
                     fmt::format("{}", storages_.size()), "cpu", tensor.size()}));
  // The copy of the tensor shares its bytes and keeps them alive until they are written.
  const auto kept = std::make_shared<const ir::Tensor>(tensor);
  storages_.push_back({{kept->data(), kept->bytes()}, kept});
  return Object::call(Object::global("torch._utils", "_rebuild_tensor_v2"),
                      Object::tuple({storage, 0, sizes(tensor.shape()), sizes(stride), false,
                                     Object::ordered_dict({})}));
}

Object TorchWriter::add(const Value& value) {
  if (value.is_none()) return {};
  if (const auto* v = value.get<bool>()) return *v;
  if (const auto* v = value.get<std::int64_t>()) return *v;
  if (const auto* v = value.get<double>()) return *v;
  if (const auto* v = value.get<std::string>()) return *v;
  if (const auto* v = value.get<ir::Tensor>()) return add(*v);
  if (const auto* v = value.get<DType>()) return Object::global("torch", std::string(name(*v)));
  if (const auto* v = value.get<ir::TypeName>()) return v->name;
  if (const auto* v = value.get<ir::Dict>()) {
    std::vector<ObjectPair> entries;
    for (const auto& [key, item] : *v) entries.emplace_back(key, add(item));
    return Object::dict(std::move(entries));
  }
  const bool is_tuple = value.is<ir::Tuple>();
  if (!is_tuple && !value.is<ir::List>()) {
    internal_error(fmt::format("{} is no plain value and cannot be saved", ir::repr(value)));
  }
  std::vector<Object> items;
  for (const Value& item : is_tuple ? value.get<ir::Tuple>()->items : *value.get<ir::List>()) {
    items.push_back(add(item));
  }
  return is_tuple ? Object::tuple(std::move(items)) : Object::list(std::move(items));
}

void TorchWriter::write(const std::filesystem::path& path, const Object& root) const {
  const std::string name = path.stem().empty() ? "archive" : path.stem().string();
  ZipWriter zip;
  zip.add(name + "/data.pkl", pickle(root));
  zip.add(name + "/byteorder", "little");
  for (std::size_t i = 0; i < storages_.size(); ++i) {
    zip.add(fmt::format("{}/data/{}", name, i), storages_[i]);
  }
  zip.add(name + "/version", "3\n");
  zip.write(path);
}

}  // namespace mase::io
