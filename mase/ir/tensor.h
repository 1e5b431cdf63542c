#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mase::ir {

enum class DType { Bool, UInt8, Int8, Int16, Int32, Int64, Float16, BFloat16, Float32, Float64 };

std::size_t size_of(DType type);    // bytes
std::string_view name(DType type);  // "float32"
bool is_floating(DType type);
// From "float32" or "torch.float32". False if unknown.
bool parse_dtype(std::string_view text, DType& out);

template <typename T>
constexpr DType dtype_of();

using Shape = std::vector<std::int64_t>;

std::int64_t element_count(const Shape& shape);  // 1 for a scalar
std::string text(const Shape& shape);            // "[8, 16]"

// What is known of a tensor before there is one.
struct TensorType {
  Shape shape;
  DType dtype = DType::Float32;
  bool operator==(const TensorType&) const = default;
};

// A dense, row-major array. Copies share the bytes until one of them is written (mutable access
// through `data_mut` or `values_mut` makes the copy). An empty tensor has defined() == false.
class Tensor {
 public:
  Tensor() = default;
  Tensor(Shape shape, DType type);  // zero-filled

  template <typename T>
  static Tensor from(Shape shape, std::span<const T> values);
  // Wraps bytes that live elsewhere (a mapped file, another library); `owner` keeps them alive.
  // They are copied on the first write.
  static Tensor view(Shape shape, DType type, const std::byte* bytes,
                     std::shared_ptr<const void> owner);
  static Tensor scalar(float value);

  bool defined() const { return data_ != nullptr; }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return type_; }
  std::int64_t size() const { return element_count(shape_); }
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * size_of(type_); }
  std::int64_t dim(std::size_t i) const { return shape_.at(i); }

  const std::byte* data() const { return data_; }
  std::byte* data_mut();

  // Typed views; T must match dtype (Error{Internal} otherwise).
  template <typename T>
  std::span<const T> values() const;
  template <typename T>
  std::span<T> values_mut();

  double at(std::int64_t i) const;     // element i of the flat array, as a number
  Tensor to(DType type) const;         // converted copy (or this, if it has that type)
  Tensor reshaped(Shape shape) const;  // same bytes, same element count
  Tensor rows(std::int64_t first, std::int64_t count) const;  // along dimension 0, shares the bytes
  std::vector<float> floats() const;                          // all elements as float32

  // Same type, shape and bits.
  bool operator==(const Tensor& other) const;

 private:
  void check_type(DType wanted) const;

  Shape shape_;
  DType type_ = DType::Float32;
  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  bool writable_ = false;  // owner_ is a buffer of ours
};

template <>
constexpr DType dtype_of<bool>() {
  return DType::Bool;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::UInt8;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::Int8;
}
template <>
constexpr DType dtype_of<std::int16_t>() {
  return DType::Int16;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::Int32;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::Int64;
}
template <>
constexpr DType dtype_of<float>() {
  return DType::Float32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::Float64;
}

template <typename T>
std::span<const T> Tensor::values() const {
  check_type(dtype_of<T>());
  return {reinterpret_cast<const T*>(data_), static_cast<std::size_t>(size())};
}

template <typename T>
std::span<T> Tensor::values_mut() {
  check_type(dtype_of<T>());
  return {reinterpret_cast<T*>(data_mut()), static_cast<std::size_t>(size())};
}

template <typename T>
Tensor Tensor::from(Shape shape, std::span<const T> values) {
  Tensor out(std::move(shape), dtype_of<T>());
  auto to = out.values_mut<T>();
  for (std::size_t i = 0; i < to.size() && i < values.size(); ++i) to[i] = values[i];
  return out;
}

}  // namespace mase::ir
