#include "mase/data/lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "mase/support/files.h"
#include "tests/data/jets_file.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

constexpr const char* kFile =
    "processed-pythia82-lhc13-all-pt1-50k-r1_h022_e0175_t220_nonu_truth.z";

// Sets an environment variable until the end of the test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::setenv(name_, old_.c_str(), 1); }

 private:
  const char* name_;
  std::string old_;
};

class Lookup : public testing::Test {
 protected:
  // Tests run as processes side by side: each has a folder of its own.
  Lookup()
      : folder_(fs::path(testing::TempDir()) /
                (std::string("lookup_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
  }
  ~Lookup() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(Lookup, CacheFolderFollowsItsVariables) {
  const Variable own("MASE_CACHE_DIR", "/own");
  EXPECT_EQ(cache_folder(), "/own");
  const Variable none("MASE_CACHE_DIR", "");
  const Variable xdg("XDG_CACHE_HOME", "/xdg");
  EXPECT_EQ(cache_folder(), "/xdg/mase");
  const Variable relative("XDG_CACHE_HOME", "xdg");
  const Variable home("HOME", "/home/someone");
  EXPECT_EQ(cache_folder(), "/home/someone/.cache/mase");
  const Variable homeless("HOME", "");
  EXPECT_EQ(cache_folder(), "");
}

TEST_F(Lookup, TheOptionGoesBeforeTheVariableAndTheCache) {
  const Variable data("MASE_DATA_DIR", "/data");
  const Variable cache("MASE_CACHE_DIR", "/cache");
  EXPECT_THAT(data_folders({.data_dir = "/option"}), ElementsAre("/option", "/data", "/cache"));
  EXPECT_THAT(data_folders({}), ElementsAre("/data", "/cache"));
}

TEST_F(Lookup, FindsThePublishedFileDirectlyOrInItsSubfolder) {
  const Variable cache("MASE_CACHE_DIR", (folder_ / "cache").string());
  const auto source = [&](const OpenOptions& options) { return open("jsc", options).source; };
  write_file(folder_ / "cache" / "jsc" / kFile, jets_csv(20));
  EXPECT_EQ(source({.use_cache = false}), folder_ / "cache" / "jsc" / kFile);
  const Variable data("MASE_DATA_DIR", (folder_ / "data").string());
  write_file(folder_ / "data" / kFile, jets_csv(20));
  EXPECT_EQ(source({.use_cache = false}), folder_ / "data" / kFile);
  write_file(folder_ / "option" / "jsc" / kFile, jets_csv(20));
  EXPECT_EQ(source({.data_dir = folder_ / "option", .use_cache = false}),
            folder_ / "option" / "jsc" / kFile);
}

TEST_F(Lookup, FindsTheCarriedSampleInTheDataFolderFirst) {
  const fs::path carried = find_carried_file("jsc/jsc_generated.h5");
  EXPECT_TRUE(fs::exists(carried));
  const Variable data("MASE_DATA_DIR", folder_.string());
  write_file(folder_ / "jsc" / "jsc_generated.h5", "x");
  EXPECT_EQ(find_carried_file("jsc/jsc_generated.h5"), folder_ / "jsc" / "jsc_generated.h5");
  EXPECT_EQ(find_carried_file("jsc/no_such_file"), "");
}

}  // namespace
}  // namespace mase::data
