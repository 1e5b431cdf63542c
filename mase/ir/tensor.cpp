// Dense row-major arrays with shared, copy-on-write bytes.
#include "mase/ir/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "mase/support/error.h"

namespace mase::ir {
namespace {

constexpr std::size_t kAlignment = 64;  // one cache line, one AVX-512 register

// Tables are read row by row in random order: with huge pages that costs fewer page walks.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::align_val_t alignment_of(std::size_t size) {
  return std::align_val_t{size >= 2 * kHugePage ? kHugePage : kAlignment};
}

struct Bytes {
  explicit Bytes(std::size_t bytes)
      : size(bytes), data(static_cast<std::byte*>(::operator new(size + 1, alignment_of(size)))) {
#if defined(__linux__)
    if (size >= 2 * kHugePage)
      madvise(data, size, MADV_HUGEPAGE);  // a wish, nothing is lost without
#endif
  }
  ~Bytes() {
    ::operator delete(data, alignment_of(size));
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  std::size_t size;
  std::byte* data;
};

float half_to_float(std::uint16_t h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16;
  const int exponent = (h >> 10) & 0x1f;
  const std::uint32_t mantissa = h & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  const float magnitude = exponent == 0
                              ? std::ldexp(static_cast<float>(mantissa), -24)
                              : std::ldexp(static_cast<float>(mantissa | 0x400u), exponent - 25);
  return sign ? -magnitude : magnitude;
}

// Round to nearest, ties to even.
std::uint16_t float_to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint16_t sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  if (std::isnan(value)) return sign | 0x7e00u;
  const float magnitude = std::fabs(value);
  if (magnitude >= 65520.0f) return sign | 0x7c00u;
  if (magnitude < 6.103515625e-05f) {  // subnormal in half precision
    return sign | static_cast<std::uint16_t>(std::nearbyint(std::ldexp(magnitude, 24)));
  }
  const std::uint32_t rounded = (bits & 0x7fffffffu) + 0xfffu + ((bits >> 13) & 1u);
  return sign | static_cast<std::uint16_t>((rounded - 0x38000000u) >> 13);
}

float bfloat_to_float(std::uint16_t b) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16);
}

std::uint16_t float_to_bfloat(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

template <typename T>
T load(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

double number(const std::byte* p, DType type) {
  switch (type) {
    case DType::Bool:
    case DType::UInt8:
      return load<std::uint8_t>(p);
    case DType::Int8:
      return load<std::int8_t>(p);
    case DType::Int16:
      return load<std::int16_t>(p);
    case DType::Int32:
      return load<std::int32_t>(p);
    case DType::Int64:
      return static_cast<double>(load<std::int64_t>(p));
    case DType::Float16:
      return half_to_float(load<std::uint16_t>(p));
    case DType::BFloat16:
      return bfloat_to_float(load<std::uint16_t>(p));
    case DType::Float32:
      return load<float>(p);
    case DType::Float64:
      return load<double>(p);
  }
  return 0;
}

template <typename T>
void store(std::byte* p, T value) {
  std::memcpy(p, &value, sizeof value);
}

void put(std::byte* p, DType type, double v) {
  switch (type) {
    case DType::Bool:
      return store<std::uint8_t>(p, v != 0);
    case DType::UInt8:
      return store(p, static_cast<std::uint8_t>(v));
    case DType::Int8:
      return store(p, static_cast<std::int8_t>(v));
    case DType::Int16:
      return store(p, static_cast<std::int16_t>(v));
    case DType::Int32:
      return store(p, static_cast<std::int32_t>(v));
    case DType::Int64:
      return store(p, static_cast<std::int64_t>(v));
    case DType::Float16:
      return store(p, float_to_half(static_cast<float>(v)));
    case DType::BFloat16:
      return store(p, float_to_bfloat(static_cast<float>(v)));
    case DType::Float32:
      return store(p, static_cast<float>(v));
    case DType::Float64:
      return store(p, v);
  }
}

}  // namespace

std::size_t size_of(DType type) {
  switch (type) {
    case DType::Bool:
    case DType::UInt8:
    case DType::Int8:
      return 1;
    case DType::Int16:
    case DType::Float16:
    case DType::BFloat16:
      return 2;
    case DType::Int32:
    case DType::Float32:
      return 4;
    case DType::Int64:
    case DType::Float64:
      return 8;
  }
  return 0;
}

std::string_view name(DType type) {
  switch (type) {
    case DType::Bool:
      return "bool";
    case DType::UInt8:
      return "uint8";
    case DType::Int8:
      return "int8";
    case DType::Int16:
      return "int16";
    case DType::Int32:
      return "int32";
    case DType::Int64:
      return "int64";
    case DType::Float16:
      return "float16";
    case DType::BFloat16:
      return "bfloat16";
    case DType::Float32:
      return "float32";
    case DType::Float64:
      return "float64";
  }
  return "";
}

bool is_floating(DType type) {
  return type == DType::Float16 || type == DType::BFloat16 || type == DType::Float32 ||
         type == DType::Float64;
}

bool parse_dtype(std::string_view text, DType& out) {
  if (text.starts_with("torch.")) text.remove_prefix(6);
  for (int i = 0; i <= static_cast<int>(DType::Float64); ++i) {
    if (name(static_cast<DType>(i)) == text) {
      out = static_cast<DType>(i);
      return true;
    }
  }
  return false;
}

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (std::int64_t d : shape) count *= d;
  return count;
}

std::string text(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Tensor::Tensor(Shape shape, DType type) : shape_(std::move(shape)), type_(type), writable_(true) {
  auto buffer = std::make_shared<Bytes>(bytes());
  std::memset(buffer->data, 0, bytes());
  data_ = buffer->data;
  owner_ = std::move(buffer);
}

Tensor Tensor::view(Shape shape, DType type, const std::byte* bytes,
                    std::shared_ptr<const void> owner) {
  Tensor out;
  out.shape_ = std::move(shape);
  out.type_ = type;
  out.data_ = bytes;
  out.owner_ = std::move(owner);
  return out;
}

Tensor Tensor::scalar(float value) {
  Tensor out({}, DType::Float32);
  out.values_mut<float>()[0] = value;
  return out;
}

std::byte* Tensor::data_mut() {
  if (!writable_ || owner_.use_count() > 1) {
    auto buffer = std::make_shared<Bytes>(bytes());
    if (bytes() > 0) std::memcpy(buffer->data, data_, bytes());
    data_ = buffer->data;
    owner_ = std::move(buffer);
    writable_ = true;
  }
  return const_cast<std::byte*>(data_);
}

void Tensor::check_type(DType wanted) const {
  if (type_ != wanted) {
    internal_error(fmt::format("tensor is {}, not {}", name(type_), name(wanted)));
  }
}

double Tensor::at(std::int64_t i) const {
  return number(data_ + static_cast<std::size_t>(i) * size_of(type_), type_);
}

Tensor Tensor::to(DType type) const {
  if (type == type_) return *this;
  Tensor out(shape_, type);
  std::byte* p = out.data_mut();
  if (type_ == DType::Int64 && type == DType::Int32) {
    for (std::int64_t v : values<std::int64_t>()) {
      store(p, static_cast<std::int32_t>(v));
      p += 4;
    }
    return out;
  }
  for (std::int64_t i = 0; i < size(); ++i)
    put(p + static_cast<std::size_t>(i) * size_of(type), type, at(i));
  return out;
}

Tensor Tensor::reshaped(Shape shape) const {
  if (element_count(shape) != size()) {
    internal_error(fmt::format("cannot reshape {} to {}", text(shape_), text(shape)));
  }
  Tensor out = *this;
  out.shape_ = std::move(shape);
  return out;
}

Tensor Tensor::rows(std::int64_t first, std::int64_t count) const {
  if (shape_.empty() || first < 0 || count < 0 || first + count > shape_[0]) {
    internal_error(fmt::format("rows {}..{} of a tensor {}", first, first + count, text(shape_)));
  }
  Tensor out = *this;
  const std::size_t row_bytes = shape_[0] == 0 ? 0 : bytes() / static_cast<std::size_t>(shape_[0]);
  out.shape_[0] = count;
  out.data_ += static_cast<std::size_t>(first) * row_bytes;
  out.writable_ = false;  // a part of a buffer: copy before writing
  return out;
}

std::vector<float> Tensor::floats() const {
  const Tensor converted = to(DType::Float32);
  const auto span = converted.values<float>();
  return {span.begin(), span.end()};
}

bool Tensor::operator==(const Tensor& other) const {
  if (defined() != other.defined()) return false;
  if (!defined()) return true;
  return shape_ == other.shape_ && type_ == other.type_ &&
         (bytes() == 0 || std::memcmp(data_, other.data_, bytes()) == 0);
}

}  // namespace mase::ir
