#include "mase/io/torch/pickle.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mase/io/bytes.h"
#include "mase/io/torch/pickle_opcodes.h"
#include "tests/io/damage.h"

namespace mase::io {
namespace {

using testing::HasSubstr;
using Kind = Object::Kind;

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

Result<Object> parse(std::string_view text) {
  return parse_pickle(bytes_of(text), "test.pkl");
}

std::string error_of(std::string_view text) {
  const auto result = parse(text);
  return result.ok() ? "(no error)" : result.error().message;
}

// Python: pickle.dumps({'a': [1, -5, 300, 70000, 2**40, -2**33, 1.5, None, True, False],
// 't': (1, 2, 3, 4), 'one': (1,), 's': 'é', 'n': {0: {'step': 1}}, 'b': b'xy'}, protocol)
constexpr std::string_view kByPython[] = {
    "80027d71002858010000006171015d7102284b014afbffffff4d2c014a701101008a060000000000018a0500000000"
    "fe473ff80000000000004e8889655801000000747103284b014b024b034b0474710458030000006f6e6571054b0185"
    "710658010000007371075802000000c3a9710858010000006e71097d710a4b007d710b580400000073746570710c4b"
    "017373580100000062710d635f636f646563730a656e636f64650a710e58020000007879710f58060000006c617469"
    "6e317110867111527112752e",
    "80037d71002858010000006171015d7102284b014afbffffff4d2c014a701101008a060000000000018a0500000000"
    "fe473ff80000000000004e8889655801000000747103284b014b024b034b0474710458030000006f6e6571054b0185"
    "710658010000007371075802000000c3a9710858010000006e71097d710a4b007d710b580400000073746570710c4b"
    "017373580100000062710d43027879710e752e",
    "80049577000000000000007d94288c0161945d94284b014afbffffff4d2c014a701101008a060000000000018a0500"
    "000000fe473ff80000000000004e8889658c017494284b014b024b034b0474948c036f6e65944b0185948c0173948c"
    "02c3a9948c016e947d944b007d948c0473746570944b0173738c0162944302787994752e",
    "80059577000000000000007d94288c0161945d94284b014afbffffff4d2c014a701101008a060000000000018a0500"
    "000000fe473ff80000000000004e8889658c017494284b014b024b034b0474948c036f6e65944b0185948c0173948c"
    "02c3a9948c016e947d944b007d948c0473746570944b0173738c0162944302787994752e",
};

Object sample() {
  return Object::dict({
      {"a", Object::list({1, -5, 300, 70000, std::int64_t{1} << 40, -(std::int64_t{1} << 33), 1.5,
                          Object(), true, false})},
      {"t", Object::tuple({1, 2, 3, 4})},
      {"one", Object::tuple({1})},
      {"s", "\xc3\xa9"},
      {"n", Object::dict({{0, Object::dict({{"step", 1}})}})},
  });
}

TEST(Pickle, ReadsWhatPythonWritesInEveryProtocol) {
  const Object wanted = sample();
  for (const std::string_view hex : kByPython) {
    std::size_t size = 0;
    const std::string file = from_hex(hex);
    const auto got = parse_pickle(bytes_of(file + "tail"), "test.pkl", {.size = &size});
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(size, file.size());
    ASSERT_EQ(got->entries().size(), 6u);
    for (const auto& [key, value] : wanted.entries()) {
      ASSERT_NE(got->find(*key.text()), nullptr);
      EXPECT_EQ(*got->find(*key.text()), value) << *key.text();
    }
    const Object& raw = *got->find("b");
    EXPECT_TRUE(raw.kind() == Kind::Bytes || raw.is_call("_codecs", "encode"));
  }
}

TEST(Pickle, RoundTrip) {
  std::vector<Object> numbers;
  for (int shift = 0; shift < 64; ++shift) {
    numbers.emplace_back(static_cast<std::int64_t>(std::uint64_t{1} << shift));
    numbers.emplace_back(static_cast<std::int64_t>(~(std::uint64_t{1} << shift)));
  }
  for (const double v : {0.0, -0.0, 0.1, 1e300, HUGE_VAL}) numbers.emplace_back(v);
  const Object all = Object::ordered_dict(
      {{"sample", sample()},
       {"numbers", Object::list(numbers)},
       {"tuples",
        Object::tuple({Object::tuple({}), Object::tuple({1, 2}), Object::tuple({1, 2, 3})})},
       {"empty", Object::list({Object::list({}), Object::dict({}), Object::ordered_dict({})})},
       {"global", Object::global("torch", "float32")},
       {"persistent", Object::persistent(Object::tuple({"storage", 1}))}});
  const auto back = parse(pickle(all));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, all);
}

TEST(Pickle, ClassesStayNames) {
  // pickle.dumps(argparse.Namespace(lr=0.1), 2)
  const auto got = parse(from_hex(
      "80026361726770617273650a4e616d6573706163650a7100298171017d710258020000006c727103473fb9999999"
      "99999a73622e"));
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->kind(), Kind::Call);
  EXPECT_EQ(got->global_name(), "argparse.Namespace");
}

TEST(Pickle, RefusesOtherOpcodesByName) {
  EXPECT_THAT(error_of("(i__main__\nX\n."), HasSubstr("opcode INST (0x69) at byte 1 is not data"));
  EXPECT_THAT(error_of("(dp0\n."), HasSubstr("DICT"));
  EXPECT_THAT(error_of("I1\n."), HasSubstr("opcode INT"));
  EXPECT_THAT(error_of("\x80\x02\x82\x01."), HasSubstr("EXT1"));
  EXPECT_THAT(error_of("Pabc\n."), HasSubstr("PERSID"));
  EXPECT_THAT(error_of("\x97."), HasSubstr("NEXT_BUFFER"));
  EXPECT_THAT(error_of("\xff."), HasSubstr("opcode unknown (0xff)"));
  EXPECT_THAT(error_of("\x80\x09."), HasSubstr("protocol 9"));
}

TEST(Pickle, EveryOpcodeIsHandledOrRefusedByName) {
  int refused = 0;
  for (int code = 0; code < 256; ++code) {
    const std::string_view name = opcode_name(static_cast<std::uint8_t>(code));
    // Plenty of operands and of stack, whatever the opcode wants.
    const std::string message =
        error_of(std::string("((((N)}]NNN") + static_cast<char>(code) + std::string(64, '\0'));
    const bool not_data =
        message.find("is not data") != std::string::npos &&
        message.find(fmt::format("(0x{:02x}) at byte 11", code)) != std::string::npos;
    if (name.empty()) {
      EXPECT_TRUE(not_data) << code;
    } else if (not_data) {
      EXPECT_THAT(message, HasSubstr(std::string(name)));
      ++refused;
    }
  }
  EXPECT_EQ(refused, 17);
}

TEST(Pickle, MisuseIsAnError) {
  EXPECT_THAT(error_of(""), HasSubstr("without STOP"));
  EXPECT_THAT(error_of("."), HasSubstr("opcode STOP"));
  EXPECT_THAT(error_of("(N."), HasSubstr("opcode STOP"));
  EXPECT_THAT(error_of("Nt."), HasSubstr("opcode TUPLE"));
  EXPECT_THAT(error_of("h\x01."), HasSubstr("never stored"));
  EXPECT_THAT(error_of("NNs."), HasSubstr("SETITEM"));
  EXPECT_THAT(error_of("NNNs."), HasSubstr("no dictionary"));
  EXPECT_THAT(error_of("}Na."), HasSubstr("no list"));
  EXPECT_THAT(error_of("]Nb."), HasSubstr("no instance"));
  EXPECT_THAT(error_of(std::string("X\xff\xff\xff\xff"
                                   "abc.",
                                   9)),
              HasSubstr("BINUNICODE"));
  EXPECT_THAT(error_of(std::string("X\x02\0\0\0\xc3(.", 8)), HasSubstr("not UTF-8"));
  EXPECT_THAT(error_of("](N0a."), HasSubstr("APPEND"));
}

TEST(Pickle, CyclesAndDepthAreErrors) {
  // l = []; l.append(l)
  EXPECT_THAT(error_of(from_hex("80025d71006800612e")), HasSubstr("inside itself"));
  EXPECT_THAT(error_of("N" + std::string(5'000, '\x85') + "."), HasSubstr("too deep"));
}

// A list in a list in a list, each filled only after it was put into the one before.
std::string chain_of_lists() {
  std::string out = "]q\x01";
  for (int i = 0; i < 30'000; ++i) {
    out +=
        "h\x01]q\x01"
        "a0";
  }
  return out;
}

TEST(Pickle, ContainersFilledLaterCountToo) {
  EXPECT_THAT(error_of(chain_of_lists() + "."), HasSubstr("too deep"));
}

TEST(Pickle, DeepGarbageIsTakenApartWithoutRecursion) {
  // The result is small; what was dropped on the way is nested thousands deep.
  for (const std::string& garbage : {"N" + std::string(5'000, '\x85'), chain_of_lists()}) {
    const auto got = parse(garbage + "0K\x07.");
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->integer(), 7);
    EXPECT_FALSE(parse(garbage + "i").ok());
  }
}

TEST(Pickle, MemoryIsInProportionToTheFile) {
  EXPECT_THAT(error_of("N" + std::string(1'000'000, '\x85') + "."), HasSubstr("far more"));
}

TEST(Pickle, SharedObjectsDoNotMultiply) {
  // Each level is a tuple of the one below, twice: 2^64 leaves if unfolded, 64 nodes in memory.
  std::string text = "Nq\x01";
  for (int i = 0; i < 64; ++i) text += "h\x01h\x01\x86q\x01";
  EXPECT_TRUE(parse(text + ".").ok());
}

TEST(Pickle, EveryTruncationIsAnErrorAndNoFlipEscapes) {
  for (const std::string_view hex : kByPython) {
    const std::string file = from_hex(hex);
    tests::for_each_truncation(file, [](std::span<const std::byte> bytes) {
      EXPECT_FALSE(parse_pickle(bytes, "cut.pkl").ok()) << bytes.size();
    });
    int readable = 0;
    tests::for_each_bit_flip(file, [&](std::span<const std::byte> bytes) {
      readable += parse_pickle(bytes, "flip.pkl").ok();
    });
    EXPECT_GT(readable, 0);
  }
}

}  // namespace
}  // namespace mase::io
