#include "mase/support/signals.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace mase {
namespace {

TEST(Signals, TheFirstOneOnlyAsks) {
  const StopSignals guard;
  EXPECT_FALSE(stop_requested());
  raise(SIGTERM);
  EXPECT_TRUE(stop_requested());
  EXPECT_EQ(stop_exit_code(), 143);
}

TEST(SignalsDeathTest, TheSecondOneEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        const StopSignals guard;
        raise(SIGINT);
        raise(SIGINT);
      },
      testing::ExitedWithCode(130), "");
}

TEST(Signals, ANewRunStartsWithoutARequest) {
  {
    const StopSignals guard;
    raise(SIGINT);
  }
  const StopSignals guard;
  EXPECT_FALSE(stop_requested());
}

}  // namespace
}  // namespace mase
