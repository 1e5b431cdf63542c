#include "mase/support/suggest.h"

#include <gtest/gtest.h>

namespace mase {
namespace {

TEST(Suggest, FindsASwappedLetterBeforeALongerDistance) {
  EXPECT_EQ(did_you_mean("lienar", {"linear", "relu"}), "did you mean 'linear'?");
}

TEST(Suggest, IgnoresCaseAndDashes) {
  EXPECT_EQ(nearest("TOY-TINY", {"toy", "toy_tiny"}).front(), "toy_tiny");
}

TEST(Suggest, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(did_you_mean("xyz", {"linear"}), "");
}

}  // namespace
}  // namespace mase
