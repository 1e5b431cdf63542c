#include "mase/ir/field_value.h"

#include <gtest/gtest.h>

namespace mase::ir {
namespace {

TEST(FieldValue, OfAGraphsValueKeepsWhatIsPlain) {
  const Value value = Dict{{"a", List{1, 2.5, true}}, {"b", None{}}, {"c", "text"}};
  EXPECT_EQ(value_of(field_value(value)), value);
  EXPECT_EQ(field_value(Tuple{{3, 5}}), FieldValue(FieldValue::List{3, 5}));
  EXPECT_EQ(field_value(NodeRef{"x"}), FieldValue(FieldValue::Foreign{"x"}));
}

}  // namespace
}  // namespace mase::ir
