// The classes that PyTorch names the element types of storages by.
#include "mase/io/torch/torch_storage.h"

#include <algorithm>
#include <array>

namespace mase::io {
namespace {

using ir::DType;

struct StorageClass {
  std::string_view name;
  DType type;
};
constexpr std::array kStorageClasses{
    StorageClass{"torch.BFloat16Storage", DType::BFloat16},
    StorageClass{"torch.BoolStorage", DType::Bool},
    StorageClass{"torch.ByteStorage", DType::UInt8},
    StorageClass{"torch.CharStorage", DType::Int8},
    StorageClass{"torch.DoubleStorage", DType::Float64},
    StorageClass{"torch.FloatStorage", DType::Float32},
    StorageClass{"torch.HalfStorage", DType::Float16},
    StorageClass{"torch.IntStorage", DType::Int32},
    StorageClass{"torch.LongStorage", DType::Int64},
    StorageClass{"torch.ShortStorage", DType::Int16},
};

}  // namespace

bool parse_storage_class(std::string_view name, ir::DType& out) {
  const auto row = std::find_if(kStorageClasses.begin(), kStorageClasses.end(),
                                [&](const StorageClass& c) { return c.name == name; });
  if (row == kStorageClasses.end()) return false;
  out = row->type;
  return true;
}

}  // namespace mase::io
