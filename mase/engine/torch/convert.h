#pragma once

#include <ATen/ATen.h>

#include <string>

#include "mase/engine/engine.h"
#include "mase/support/error.h"

// Between our tensors and LibTorch's, and from its exceptions to ours.
namespace mase::engine::torch_engine {

at::ScalarType scalar_type(ir::DType type);
ir::DType our_type(at::ScalarType type);  // Error{Unsupported} for types we do not have (complex)

// Borrows the bytes: valid while `tensor` lives, and only to be read.
at::Tensor borrow(const ir::Tensor& tensor);
// A copy with bytes of its own, whatever the strides of `tensor`.
ir::Tensor copy_out(const at::Tensor& tensor);

// The first line of what LibTorch says; the rest is its own stack.
std::string first_line(const c10::Error& error);

// Runs `work`; an exception of LibTorch becomes Error{RunFailed} "<what>: <its first line>".
template <typename Work>
auto guarded(const char* what, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const c10::Error& error) {
    throw Error(ErrorKind::RunFailed, std::string(what) + ": " + first_line(error));
  }
}

}  // namespace mase::engine::torch_engine
