#include "mase/support/suggest.h"

#include <gtest/gtest.h>

#include <string>

namespace mase {
namespace {

TEST(Suggest, FindsASwappedLetterBeforeALongerDistance) {
  EXPECT_EQ(did_you_mean("lienar", {"linear", "relu"}), "did you mean 'linear'?");
}

TEST(Suggest, IgnoresCaseAndDashes) {
  EXPECT_EQ(nearest("TOY-TINY", {"toy", "toy_tiny"}).front(), "toy_tiny");
}

TEST(Suggest, PassesOverNamesThatNobodyTypes) {
  EXPECT_EQ(did_you_mean("name", {std::string(20'000'000, 'n'), "nane"}), "did you mean 'nane'?");
  EXPECT_EQ(did_you_mean(std::string(20'000'000, 'n'), {"name"}), "");
}

TEST(Suggest, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(did_you_mean("xyz", {"linear"}), "");
}

}  // namespace
}  // namespace mase
