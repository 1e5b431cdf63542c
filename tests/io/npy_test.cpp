#include "mase/io/arrays/npy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "mase/io/arrays/npz.h"
#include "mase/io/text/python_literal.h"
#include "tests/io/damage.h"
#include "tests/shared_data.h"

namespace mase::io {
namespace {

using ir::DType;
using ir::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::array kAllTypes{DType::Bool,    DType::UInt8,  DType::Int8,    DType::Int16,
                               DType::Int32,   DType::Int64,  DType::Float16, DType::BFloat16,
                               DType::Float32, DType::Float64};

Tensor counting(ir::Shape shape, DType type) {
  Tensor out(std::move(shape), DType::Float64);
  auto values = out.values_mut<double>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 2 ? i : 0);
  return out.to(type);
}

// An npy file with any header; `data` follows it.
std::string npy(std::string_view header, std::string_view data, int major = 1) {
  std::string out = "\x93NUMPY";
  put<std::uint8_t>(out, static_cast<std::uint8_t>(major));
  put<std::uint8_t>(out, 0);
  if (major == 1) {
    put<std::uint16_t>(out, static_cast<std::uint16_t>(header.size()));
  } else {
    put<std::uint32_t>(out, static_cast<std::uint32_t>(header.size()));
  }
  out += header;
  out += data;
  return out;
}

Result<Tensor> parse(std::string_view file) {
  return parse_npy(bytes_of(file), "test.npy");
}

std::string error_of(std::string_view file) {
  const auto result = parse(file);
  return result.ok() ? "(no error)" : result.error().message;
}

TEST(Npy, RoundTripOfEveryTypeAndRank) {
  for (const DType type : kAllTypes) {
    for (const ir::Shape& shape : {ir::Shape{}, {7}, {2, 3}, {0}, {3, 0, 2}, {2, 3, 4, 5}}) {
      const Tensor in = counting(shape, type);
      const std::string file = npy_bytes(in);
      EXPECT_EQ((file.size() - in.to(type == DType::BFloat16 ? DType::Float32 : type).bytes()) % 64,
                0u);
      const auto out = parse(file);
      ASSERT_TRUE(out.ok()) << out.error().message;
      EXPECT_EQ(*out, type == DType::BFloat16 ? in.to(DType::Float32) : in) << ir::name(type);
    }
  }
}

TEST(Npy, HeadersOfAllVersions) {
  const std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\n";
  for (const int version : {1, 2, 3}) {
    const auto out = parse(npy(header, "\x01\x02\x03", version));
    ASSERT_TRUE(out.ok()) << out.error().message;
    EXPECT_THAT(out->values<std::uint8_t>(), ElementsAre(1, 2, 3));
  }
  EXPECT_THAT(error_of(npy(header, "\x01\x02\x03", 4)), HasSubstr("version 4.0"));
}

TEST(Npy, FortranOrderIsRearranged) {
  const auto out = parse(npy("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3)}",
                             std::string_view("\x00\x03\x01\x04\x02\x05", 6)));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_THAT(out->values<std::int8_t>(), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Npy, BigEndianIsSwapped) {
  const auto out = parse(npy("{'descr': '>i4', 'fortran_order': False, 'shape': (2,)}",
                             std::string_view("\x00\x00\x01\x02\xff\xff\xff\xff", 8)));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_THAT(out->values<std::int32_t>(), ElementsAre(258, -1));
}

TEST(Npy, UnsignedIntegersWiden) {
  const auto u2 = parse(npy("{'descr': '<u2', 'fortran_order': False, 'shape': (1,)}", "\xff\xff"));
  ASSERT_TRUE(u2.ok());
  EXPECT_EQ(u2->dtype(), DType::Int32);
  EXPECT_EQ(u2->values<std::int32_t>()[0], 65535);
  const auto u8 =
      parse(npy("{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}", std::string(8, '\xff')));
  ASSERT_FALSE(u8.ok());
  EXPECT_THAT(u8.error().message, HasSubstr("does not fit"));
}

TEST(Npy, BoolBytesBecomeZeroOrOne) {
  const auto out = parse(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}",
                             std::string_view("\x00\x01\xfe", 3)));
  ASSERT_TRUE(out.ok());
  EXPECT_THAT(out->values<bool>(), ElementsAre(false, true, true));
}

TEST(Npy, SaysWhyAFileIsRefused) {
  const auto with = [](std::string_view descr, std::string_view shape) {
    return error_of(
        npy(fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': {}}}", descr, shape),
            std::string(64, 'x')));
  };
  EXPECT_THAT(with("'|O'", "(3,)"), HasSubstr("Python objects"));
  EXPECT_THAT(with("'<U5'", "(3,)"), HasSubstr("texts"));
  EXPECT_THAT(with("'<c8'", "(3,)"), HasSubstr("complex"));
  EXPECT_THAT(with("'<f4'", "(17,)"), HasSubstr("needs 68"));
  EXPECT_THAT(with("'<f4'", "(-1,)"), HasSubstr("impossible shape"));
  EXPECT_THAT(with("'<f4'", "(4611686018427387904, 4)"), HasSubstr("impossible shape"));
  EXPECT_THAT(with("'<f4'", "(0, 4611686018427387904, 4)"), HasSubstr("impossible shape"));
  EXPECT_THAT(with("'<f4'", "3"), HasSubstr("not a tuple"));
  EXPECT_THAT(with("[('a', '<f4')]", "(3,)"), HasSubstr("structured"));
  EXPECT_THAT(error_of("hello"), HasSubstr("not an npy file"));
  EXPECT_THAT(error_of(npy("{'shape': (3,)}", "")), HasSubstr("lacks 'descr'"));
  EXPECT_THAT(error_of(npy("__import__('os')", "")), HasSubstr("not a Python literal"));
}

TEST(Npy, ColumnsOfAStructuredArray) {
  std::string data;
  for (int row = 0; row < 3; ++row) {
    put<float>(data, 0.5f + static_cast<float>(row));
    data += "tag";
    put<std::int32_t>(data, row * 10);
    put<std::int32_t>(data, row * 10 + 1);
  }
  const auto table = parse_npy_columns(
      bytes_of(npy("{'descr': [('x', '<f4'), ('name', '|S3'), (('title', 'y'), '<i4', (2,))], "
                   "'fortran_order': False, 'shape': (3,), }",
                   data)),
      "test.npy");
  ASSERT_TRUE(table.ok()) << table.error().message;
  ASSERT_EQ(table->size(), 2u);
  EXPECT_EQ((*table)[0].first, "x");
  EXPECT_THAT((*table)[0].second.values<float>(), ElementsAre(0.5f, 1.5f, 2.5f));
  EXPECT_EQ((*table)[1].first, "y");
  EXPECT_THAT((*table)[1].second.shape(), ElementsAre(3, 2));
  EXPECT_THAT((*table)[1].second.values<std::int32_t>(), ElementsAre(0, 1, 10, 11, 20, 21));
}

TEST(Npy, EveryTruncationIsAnErrorAndNoFlipEscapes) {
  const std::string file = npy_bytes(counting({2, 3}, DType::Int16));
  tests::for_each_truncation(file, [](std::span<const std::byte> bytes) {
    EXPECT_FALSE(parse_npy(bytes, "cut.npy").ok()) << bytes.size();
  });
  tests::for_each_bit_flip(file, [](std::span<const std::byte> bytes) {
    const auto out = parse_npy(bytes, "flip.npy");
    if (out) {
      EXPECT_LE(out->bytes(), 2 * bytes.size());
    }
  });
}

TEST(PythonLiteral, ReadsWhatHeadersHold) {
  const auto value =
      parse_python_literal("{'a': (1, 2.5, -3), \"b\": [True, None, 'x\\'y'], 'c': (4)}");
  ASSERT_TRUE(value.ok()) << value.error().message;
  EXPECT_EQ(ir::repr(*value), "{'a': (1, 2.5, -3), 'b': [True, None, \"x'y\"], 'c': 4}");
  for (const char* bad : {"", "(", "[1 2]", "{1: 2}", "'open", "1 2", "f()", "{'a' 1}"}) {
    EXPECT_FALSE(parse_python_literal(bad).ok()) << bad;
  }
  EXPECT_FALSE(parse_python_literal(std::string(100'000, '(')).ok());
}

// Names of columns may hold what repr() does not show.
TEST(PythonLiteral, ReadsWhatPythonEscapes) {
  const auto value = parse_python_literal(R"(['a\\b\'\"\n\r\t', '\x00\xa0\u200b\U0001f600'])");
  ASSERT_TRUE(value.ok()) << value.error().message;
  EXPECT_EQ(value->as_list()[0].as_text(), "a\\b'\"\n\r\t");
  EXPECT_EQ(value->as_list()[1].as_text(),
            std::string("\0\xc2\xa0\xe2\x80\x8b\xf0\x9f\x98\x80", 10));
  const std::string printed = ir::repr(*value);
  EXPECT_EQ(ir::repr(*parse_python_literal(printed)), printed);
  for (const char* bad :
       {R"('\q')", R"('\x4')", R"('\x4g')", R"('\ud800')", R"('\U00110000')", R"('\)"}) {
    EXPECT_FALSE(parse_python_literal(bad).ok()) << bad;
  }
}

TEST(Npz, RoundTripThroughAFile) {
  const auto path = std::filesystem::path(testing::TempDir()) / "mase_npz_test.npz";
  ir::State arrays{{"weight", counting({3, 4}, DType::Float32)},
                   {"a.b/c", counting({5}, DType::Int64)}};
  write_npz(path, arrays);
  const auto back = read_npz(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, arrays);
}

TEST(Npz, ReadsArchivesOfNumPy) {
  MASE_NEEDS_SHARED_DATA("mase_runs/jsc_split_by_mase.npz");
  const auto archive = NpzReader::open(shared_data() / "mase_runs/jsc_split_by_mase.npz");
  ASSERT_TRUE(archive.ok()) << archive.error().message;
  EXPECT_THAT(archive->names(),
              testing::UnorderedElementsAre("X_train_val", "Y_train_val", "X_test", "Y_test"));
  EXPECT_THAT(archive->read("X_train_val").value().shape(), ElementsAre(19400, 16));
  EXPECT_FALSE(archive->read("Z").ok());
}

TEST(Npz, ReadsDeflatedArchives) {
  MASE_NEEDS_SHARED_DATA("mase_runs/vectors/train.npz");
  const auto all = read_npz(shared_data() / "mase_runs/vectors/train.npz");
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->size(), 2944u);
}

}  // namespace
}  // namespace mase::io
