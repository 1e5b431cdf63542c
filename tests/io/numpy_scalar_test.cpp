// NumPy's numbers in pickles, as torch.save writes them: bytes as Latin-1 text.
#include "mase/io/torch/numpy_scalar.h"

#include <gtest/gtest.h>

#include <string>

namespace mase::io {
namespace {

Object scalar(const char* type, Object bytes, const char* module = "numpy.core.multiarray") {
  const Object dtype =
      Object::call(Object::global("numpy", "dtype"), Object::tuple({type, false, true}));
  return Object::call(Object::global(module, "scalar"), Object::tuple({dtype, std::move(bytes)}));
}

Object latin1(std::string text) {
  return Object::call(Object::global("_codecs", "encode"),
                      Object::tuple({std::move(text), "latin1"}));
}

TEST(NumpyScalar, IsTheNumber) {
  const std::string three("\3\0\0\0\0\0\0\0", 8);
  EXPECT_EQ(numpy_scalar(scalar("i8", latin1(three))), ir::Value(3));
  EXPECT_EQ(numpy_scalar(scalar("i8", Object::bytes(three), "numpy._core.multiarray")),
            ir::Value(3));
  // -2: bytes above 127 take two bytes of UTF-8 each.
  EXPECT_EQ(numpy_scalar(scalar("i2", latin1("\u00fe\u00ff"))), ir::Value(-2));
  EXPECT_EQ(numpy_scalar(scalar("f8", Object::bytes(std::string("\0\0\0\0\0\0\xe0?", 8)))),
            ir::Value(0.5));
  EXPECT_EQ(numpy_scalar(scalar("b1", Object::bytes("\1"))), ir::Value(true));
}

TEST(NumpyScalar, WhatIsNoneIsNot) {
  EXPECT_FALSE(numpy_scalar(Object(3)));
  EXPECT_FALSE(numpy_scalar(scalar("i8", Object::bytes("123"))));
  EXPECT_FALSE(numpy_scalar(scalar("U3", Object::bytes("123"))));
  EXPECT_FALSE(numpy_scalar(scalar("u8", Object::bytes(std::string(8, '\xff')))));
  EXPECT_FALSE(numpy_scalar(scalar("i8", latin1("\u0100"))));
  EXPECT_FALSE(numpy_scalar(
      Object::call(Object::global("numpy.core.multiarray", "scalar"), Object::tuple({}))));
}

}  // namespace
}  // namespace mase::io
