// Kernels of arithmetic: add, sub, mul on tensors and numbers (two plain numbers, such as sizes,
// give a plain number) and products of matrices.
#include <fmt/format.h>

#include "mase/engine/torch/kernels.h"
#include "mase/engine/torch/pch.h"

namespace mase::engine::torch_engine {
namespace {

struct Add {
  static constexpr const char* kName = "add";
  static at::Tensor of(const at::Tensor& a, const at::Tensor& b) { return at::add(a, b); }
  static double of(double a, double b) { return a + b; }
  static bool overflows(std::int64_t a, std::int64_t b, std::int64_t& out) {
    return __builtin_add_overflow(a, b, &out);
  }
};

struct Sub {
  static constexpr const char* kName = "sub";
  static at::Tensor of(const at::Tensor& a, const at::Tensor& b) { return at::sub(a, b); }
  static double of(double a, double b) { return a - b; }
  static bool overflows(std::int64_t a, std::int64_t b, std::int64_t& out) {
    return __builtin_sub_overflow(a, b, &out);
  }
};

struct Mul {
  static constexpr const char* kName = "mul";
  static at::Tensor of(const at::Tensor& a, const at::Tensor& b) { return at::mul(a, b); }
  static double of(double a, double b) { return a * b; }
  static bool overflows(std::int64_t a, std::int64_t b, std::int64_t& out) {
    return __builtin_mul_overflow(a, b, &out);
  }
};

double number(const ir::Value& value) {
  return value.is<bool>() ? static_cast<double>(value.as_bool()) : value.as_number();
}

template <typename Rule>
ir::Value of_numbers(const ir::Value& a, const ir::Value& b) {
  if (!a.is<std::int64_t>() || !b.is<std::int64_t>()) return Rule::of(number(a), number(b));
  std::int64_t out = 0;
  if (Rule::overflows(a.as_int(), b.as_int(), out)) {
    throw Error(ErrorKind::RunFailed, fmt::format("{} of {} and {} does not fit 64 bits",
                                                  Rule::kName, a.as_int(), b.as_int()));
  }
  return out;
}

template <typename Rule>
Kernel build_arithmetic(Site& site) {
  Operand a = site.data(0);  // in this order: the first tensor is data_in_0
  Operand b = site.data(1);
  return [a = std::move(a), b = std::move(b)](const Frame& f) -> Slot {
    if (a.is_plain(f) && b.is_plain(f)) return of_numbers<Rule>(a.value(f), b.value(f));
    return Rule::of(a(f), b(f));
  };
}

template <at::Tensor (*product)(const at::Tensor&, const at::Tensor&)>
Kernel build_product(Site& site) {
  Operand a = site.data(0);
  Operand b = site.data(1);
  return [a = std::move(a), b = std::move(b)](const Frame& f) -> Slot {
    return product(f.for_product(a(f)), f.for_product(b(f)));
  };
}

}  // namespace

Kernel build_add(Site& site) {
  return build_arithmetic<Add>(site);
}
Kernel build_sub(Site& site) {
  return build_arithmetic<Sub>(site);
}
Kernel build_mul(Site& site) {
  return build_arithmetic<Mul>(site);
}
Kernel build_matmul(Site& site) {
  return build_product<at::matmul>(site);
}
Kernel build_bmm(Site& site) {
  return build_product<at::bmm>(site);
}

}  // namespace mase::engine::torch_engine
