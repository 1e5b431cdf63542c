#include "mase/support/field.h"

#include <gtest/gtest.h>

#include <limits>

namespace mase {
namespace {

const Field kWidth{.name = "width", .low = 1, .high = 32};
const Field kFraction{.name = "frac_width", .standard = FieldValue(), .low = -64};
const Field kRate{.name = "rate", .type = FieldType::Real, .standard = 0.5, .low = 0};
const Field kSigned{.name = "is_signed", .type = FieldType::Bool, .standard = true};
const Field kRounding{
    .name = "rounding", .type = FieldType::Text, .standard = "down", .choices = {"down", "up"}};
const Field kBlock{.name = "block_size", .type = FieldType::List, .standard = 16, .low = -1};
const Field kPair{.name = "tile", .type = FieldType::List, .rank = 2};
const Field kStages{.name = "stages",
                    .type = FieldType::List,
                    .choices = {"first", "second"},
                    .items = FieldType::Text};

TEST(Field, TakesWhatFitsInTheFormOfItsType) {
  EXPECT_EQ(fitted(kWidth, 8), FieldValue(8));
  EXPECT_EQ(fitted(kRate, 2), FieldValue(2.0));
  EXPECT_EQ(fitted(kSigned, 0), FieldValue(false));
  EXPECT_EQ(fitted(kBlock, 16), FieldValue(FieldValue::List{16}));
  EXPECT_EQ(fitted(kFraction, FieldValue()), FieldValue());
  EXPECT_EQ(fitted(kPair, FieldValue::List{1, 16}), FieldValue(FieldValue::List{1, 16}));
}

TEST(Field, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(fitted(kWidth, 0));
  EXPECT_FALSE(fitted(kWidth, 33));
  EXPECT_FALSE(fitted(kWidth, 8.0));
  EXPECT_FALSE(fitted(kWidth, true));
  EXPECT_FALSE(fitted(kWidth, FieldValue()));
  EXPECT_FALSE(fitted(kSigned, 2));
  EXPECT_FALSE(fitted(kRate, std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(fitted(kRate, std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(fitted(kBlock, FieldValue::List{16, -2}));
  EXPECT_FALSE(fitted(kPair, FieldValue::List{16}));
  EXPECT_FALSE(fitted(kRounding, "sideways"));
}

TEST(Field, SaysWhatItWantsAndWhatItGot) {
  EXPECT_EQ(problem(kWidth, 8), "");
  EXPECT_EQ(problem(kWidth, 0), "width must be a whole number from 1 to 32, not 0");
  EXPECT_EQ(problem(kFraction, "x"),
            "frac_width must be a whole number at least -64, or \"NA\", not 'x'");
  EXPECT_EQ(problem(kRounding, "dwon"),
            "rounding must be one of down, up, not 'dwon'; did you mean 'down'?");
  EXPECT_EQ(problem(kStages, FieldValue::List{"first", "secnd"}),
            "stages must be a list of texts out of first, second, not ['first', 'secnd']; did you "
            "mean 'second'?");
  EXPECT_EQ(problem(kPair, 3), "tile must be a list of 2 whole numbers, not 3");
  EXPECT_EQ(problem(kWidth, FieldValue::Foreign{"x"}),
            "width must be a whole number from 1 to 32, not x");
  EXPECT_EQ(problem(kRate, std::numeric_limits<double>::infinity()),
            "rate must be a finite number, not inf");
}

TEST(Field, KnowsWhetherAValueMustBeGiven) {
  EXPECT_TRUE(kWidth.must_be_given());
  EXPECT_FALSE(kFraction.must_be_given());
  EXPECT_TRUE(kFraction.may_be_open());
  EXPECT_FALSE(kRate.may_be_open());
}

TEST(Field, OfAnyTypeTakesNoneAsWell) {
  const Field any{.name = "dims", .type = FieldType::Any, .standard = "all"};
  EXPECT_EQ(problem(any, kOpen), "");
  EXPECT_EQ(problem(any, FieldValue::List{1, "x"}), "");
}

TEST(Field, OfSizesTakesOneForAllAndNamesForSome) {
  const Field padding{.name = "padding",
                      .type = FieldType::List,
                      .low = 0,
                      .choices = {"same"},
                      .rank = 2,
                      .one_for_all = true};
  EXPECT_EQ(fitted(padding, 3), FieldValue(FieldValue::List{3, 3}));
  EXPECT_EQ(fitted(padding, "same"), FieldValue("same"));
  EXPECT_FALSE(fitted(padding, FieldValue::List{"same", 1}));
  EXPECT_EQ(problem(padding, FieldValue::List{1, 2, 3}),
            "padding must be a whole number at least 0, or a list of 2, or one of same, not "
            "[1, 2, 3]");
}

TEST(Field, MayBeOpenBesideADefaultAndWithinLists) {
  const Field size{.name = "size", .type = FieldType::List, .rank = 2, .open = true};
  EXPECT_TRUE(fitted(size, FieldValue::List{7, kOpen}));
  EXPECT_TRUE(fitted(size, kOpen));
  EXPECT_EQ(wanted(size, "None"), "a list of 2 whole numbers, or None");
}

TEST(Field, NamesItsType) {
  EXPECT_EQ(type_text(kWidth), "int");
  EXPECT_EQ(type_text(kStages), "list of texts");
}

TEST(FieldValue, PrintsAsPythonDoes) {
  EXPECT_EQ(repr(FieldValue()), "None");
  EXPECT_EQ(repr(FieldValue(1e-5)), "1e-05");
  EXPECT_EQ(repr(FieldValue(640.0)), "640.0");
  EXPECT_EQ(repr(FieldValue(FieldValue::Table{{"a", FieldValue::List{true, "b"}}})),
            "{'a': [True, 'b']}");
}

}  // namespace
}  // namespace mase
