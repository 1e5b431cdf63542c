#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "mase/engine/engine.h"
#include "mase/engine/math_libraries.h"
#include "mase/support/error.h"
#include "tests/engine/networks.h"

namespace mase::engine {
namespace {

using ::testing::HasSubstr;

class EngineDir {
 public:
  explicit EngineDir(const std::filesystem::path& folder) {
    setenv("MASE_ENGINE_DIR", folder.c_str(), 1);
  }
  ~EngineDir() { unsetenv("MASE_ENGINE_DIR"); }
};

TEST(Registry, NamesAreListedOnce) {
  std::vector<std::string_view> names = engine_names();
  ASSERT_FALSE(names.empty());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Registry, AMisspeltNameIsAUsageErrorWithTheNearest) {
  try {
    load_engine("trch");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_THAT(error.hint(), HasSubstr("'torch'"));
  }
}

// Runs first in its own process: an engine that is loaded stays so.
TEST(Registry, AMissingModuleSaysWhatToDo) {
  const EngineDir nowhere("/nonexistent");
  try {
    choose(test::sequence({"ReLU()"}), "torch");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
    EXPECT_THAT(error.message(), HasSubstr("/nonexistent"));
    EXPECT_THAT(error.hint(), HasSubstr("libtorch-dev"));
  }
}

TEST(Registry, AFileThatIsNoModuleSaysSo) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "mase_no_engine";
  std::filesystem::create_directories(folder);
  const auto file = folder / "libmase_engine_torch.so";
  std::fclose(std::fopen(file.c_str(), "w"));
  const EngineDir dir(folder);
  try {
    load_engine("torch");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
    EXPECT_THAT(error.message(), HasSubstr("cannot be loaded"));
  }
}

TEST(MathLibraries, SettingsOfTheUserStay) {
  setenv("OPENBLAS_NUM_THREADS", "2", 1);
  unsetenv("GOMP_SPINCOUNT");
  EXPECT_TRUE(prepare_math_libraries());
  EXPECT_STREQ(std::getenv("OPENBLAS_NUM_THREADS"), "2");
  EXPECT_STREQ(std::getenv("GOMP_SPINCOUNT"), "0");
  EXPECT_FALSE(prepare_math_libraries()) << "nothing is missing any more";
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
}

}  // namespace
}  // namespace mase::engine
