// Tensors across the border: inputs are borrowed, results copied, so that no bytes are shared
// between a program that goes on training and the values its caller keeps.
#include "mase/engine/torch/convert.h"

#include <array>
#include <cstring>
#include <utility>

namespace mase::engine::torch_engine {
namespace {

constexpr std::array<std::pair<ir::DType, at::ScalarType>, 10> kTypes = {{
    {ir::DType::Bool, at::kBool},
    {ir::DType::UInt8, at::kByte},
    {ir::DType::Int8, at::kChar},
    {ir::DType::Int16, at::kShort},
    {ir::DType::Int32, at::kInt},
    {ir::DType::Int64, at::kLong},
    {ir::DType::Float16, at::kHalf},
    {ir::DType::BFloat16, at::kBFloat16},
    {ir::DType::Float32, at::kFloat},
    {ir::DType::Float64, at::kDouble},
}};

}  // namespace

at::ScalarType scalar_type(ir::DType type) {
  return kTypes[static_cast<std::size_t>(type)].second;
}

ir::DType our_type(at::ScalarType type) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return ours;
  }
  unsupported(std::string("tensors of type ") + c10::toString(type) + " are not supported");
}

at::Tensor borrow(const ir::Tensor& tensor) {
  // from_blob takes no const pointer; the engine never writes to what it borrowed.
  return at::from_blob(const_cast<std::byte*>(tensor.data()), tensor.shape(),
                       at::TensorOptions(scalar_type(tensor.dtype())));
}

ir::Tensor copy_out(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().to(at::kCPU).contiguous();
  ir::Tensor out(dense.sizes().vec(), our_type(dense.scalar_type()));
  if (out.bytes() > 0) std::memcpy(out.data_mut(), dense.data_ptr(), out.bytes());
  return out;
}

std::string first_line(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

}  // namespace mase::engine::torch_engine
