#include "mase/io/text/yaml.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mase::io {
namespace {

// Each line as PyYAML's safe_dump writes it.
TEST(Yaml, ScalarsAsPyYamlWritesThem) {
  const ir::Dict values{
      {"text", "jsc-toy"},     {"number_text", "32"}, {"version", "23.07.0"},
      {"date", "2024-02-10"},  {"path", "/a b/c"},    {"colon", "a: b"},
      {"ends", "a:"},          {"hash", "a #b"},      {"empty", ""},
      {"word", "yes"},         {"dash", "-"},         {"minus", "-x"},
      {"dot", ".5"},           {"octal", "0o7"},      {"sexagesimal", "12:30"},
      {"underscore", "1_000"}, {"quote", "it's"},     {"lead", "'x"},
      {"star", "*x"},          {"tab", "a\tb"},       {"exponent", "1e-5"},
      {"none", ir::None{}},    {"flag", false},       {"int", 256},
      {"rate", 0.01},          {"tiny", 1e-5},        {"one", 1.0},
      {"inf", HUGE_VAL},       {"nan", std::nan("")},
  };
  EXPECT_EQ(write_yaml(values), R"(colon: 'a: b'
dash: '-'
date: '2024-02-10'
dot: '.5'
empty: ''
ends: 'a:'
exponent: 1e-5
flag: false
hash: 'a #b'
inf: .inf
int: 256
lead: '''x'
minus: -x
nan: .nan
none: null
number_text: '32'
octal: 0o7
one: 1.0
path: /a b/c
quote: it's
rate: 0.01
sexagesimal: '12:30'
star: '*x'
tab: "a\tb"
text: jsc-toy
tiny: 1.0e-05
underscore: '1_000'
version: 23.07.0
word: 'yes'
)");
}

// A stream of YAML is printable UTF-8, whatever bytes a text is of: names of files may be any.
TEST(Yaml, AnyBytesMakeAStreamThatCanBeRead) {
  EXPECT_EQ(write_yaml({{"a\xff", "b\xff\\c"}}), "\"a\uFFFD\": \"b\uFFFD\\\\c\"\n");
  EXPECT_EQ(write_yaml({{"a", "\xc2\x85 \xc2\x9f \xe2\x80\xa8 \xef\xbf\xbf \xef\xbb\xbf \x01"}}),
            "a: \"\\x85 \\x9F \\u2028 \\uFFFF \\uFEFF \\x01\"\n");
  EXPECT_EQ(write_yaml({{"a", "\xc2\xa0\xe2\x80\xa7\xef\xbf\xbd"}}),
            "a: \"\xc2\xa0\xe2\x80\xa7\xef\xbf\xbd\"\n");
}

TEST(Yaml, Nesting) {
  const ir::Dict values{
      {"b", ir::Dict{{"y", ir::List{1, ir::Dict{{"z", 1}, {"w", 2}}, ir::List{2, 3}}},
                     {"x", ir::Dict{}}}},
      {"a", ir::List{}},
      {"c", ir::Tuple{{0.9, 0.999}}}};
  EXPECT_EQ(write_yaml(values), R"(a: []
b:
  x: {}
  y:
  - 1
  - w: 2
    z: 1
  - - 2
    - 3
c:
- 0.9
- 0.999
)");
  EXPECT_EQ(write_yaml({}), "{}\n");
}

}  // namespace
}  // namespace mase::io
