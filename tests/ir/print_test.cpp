// Values and tensors print as Python's pprint and PyTorch print them; the cases were made by both.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "mase/ir/unicode.h"
#include "mase/ir/value.h"

namespace mase::ir {
namespace {

using Json = nlohmann::ordered_json;

Json fixture(const std::string& name) {
  std::ifstream in(std::string(MASE_SOURCE_DIR) + "/tests/ir/fixtures/" + name);
  return Json::parse(in);
}

Value value_of(const Json& json) {
  if (json.is_object() && json.contains("{}")) {
    Dict out;
    for (const Json& entry : json["{}"]) {
      out.emplace_back(entry[0].get<std::string>(), value_of(entry[1]));
    }
    return out;
  }
  if (json.is_object() || json.is_array()) {
    std::vector<Value> items;
    for (const Json& item : json.is_object() ? json["()"] : json) items.push_back(value_of(item));
    return json.is_object() ? Value(Tuple{items}) : Value(items);
  }
  return from_json(json);
}

TEST(Pretty, PrintsAsPythonsPprint) {
  const Json cases = fixture("pretty.json");
  ASSERT_GE(cases.size(), 200u);
  for (const Json& item : cases) {
    const Value value = value_of(item["value"]);
    EXPECT_EQ(repr(value), item["repr"].get<std::string>());
    EXPECT_EQ(pretty(value, item["width"].get<int>()), item["pretty"].get<std::string>());
  }
}

TEST(Pretty, TypesAndTensorsStandAsTheyPrint) {
  const Value value = Dict{{"value", Tensor::from<float>({2}, std::array{1.5f, -2.0f})},
                           {"torch_dtype", DType::Float32},
                           {"shape", List{1, 2}},
                           {"type", TypeName{"<class 'int'>"}}};
  EXPECT_EQ(pretty(value, 40),
            "{'shape': [1, 2],\n"
            " 'torch_dtype': torch.float32,\n"
            " 'type': <class 'int'>,\n"
            " 'value': tensor([ 1.5000, -2.0000])}");
}

Tensor tensor_of(const Json& item) {
  DType type{};
  EXPECT_TRUE(parse_dtype(item["dtype"].get<std::string>(), type));
  Tensor numbers(item["shape"].get<Shape>(), DType::Float64);
  auto values = numbers.values_mut<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (item.contains("rule")) {
      const double step = static_cast<double>(i * 7919 % 10007);
      values[i] = step * item["rule"][0].get<double>() + item["rule"][1].get<double>();
    } else {
      values[i] = std::strtod(item["values"][i].get<std::string>().c_str(), nullptr);
    }
  }
  return numbers.to(type);
}

TEST(PrintTensor, PrintsAsPyTorch) {
  const Json cases = fixture("tensors.json");
  ASSERT_GE(cases.size(), 200u);
  for (const Json& item : cases) {
    EXPECT_EQ(print_tensor(tensor_of(item), item.value("suffix", "")),
              item["text"].get<std::string>());
  }
}

// Node.args of torch.fx as Python shows them.
TEST(Repr, NodesAreBareNames) {
  const NodeRef x{"x"};
  EXPECT_EQ(repr(Tuple{{x}}), "(x,)");
  EXPECT_EQ(repr(Tuple{{x, 0}}), "(x, 0)");
  EXPECT_EQ(repr(Dict{{"other", List{x, "x"}}}), "{'other': [x, 'x']}");
}

// Bytes that are no UTF-8 stand for themselves: what is printed can be read as what it was.
TEST(Repr, TakesNoSurrogatesAndOverlongFormsForCharacters) {
  for (const char* bytes : {"\xed\xad\xad", "\xc0\xa0", "\xe0\x80\xa0", "\xf4\xb0\x80\x80"}) {
    const std::string printed = repr(Value(bytes));
    EXPECT_EQ(printed.find("\\u"), std::string::npos) << printed;
    EXPECT_EQ(printed.find("\\U"), std::string::npos) << printed;
    EXPECT_EQ(code_points(bytes), std::string_view(bytes).size());
  }
}

}  // namespace
}  // namespace mase::ir
