#include "mase/data/lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "mase/support/files.h"
#include "tests/data/jets_file.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

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
  const fs::path carried = find_carried_file({}, "jsc/jsc_generated.h5");
  EXPECT_TRUE(fs::exists(carried));
  const fs::path own = folder_ / "jsc" / "jsc_generated.h5";
  write_file(own, "x");
  EXPECT_EQ(find_carried_file({.data_dir = folder_}, "jsc/jsc_generated.h5"), own);
  const Variable data("MASE_DATA_DIR", folder_.string());
  EXPECT_EQ(find_carried_file({}, "jsc/jsc_generated.h5"), own);
  EXPECT_EQ(find_carried_file({}, "jsc/no_such_file"), "");
}

// What opening says: the error, or the warnings and the source.
struct Outcome {
  std::string error;
  std::vector<std::string> warnings;
  std::string source;
};

Outcome outcome(std::string_view name, OpenOptions options) {
  Outcome out;
  options.use_cache = false;
  options.log = [&](LogLevel level, std::string_view line) {
    if (level == LogLevel::Warning) out.warnings.emplace_back(line);
  };
  try {
    out.source = open(name, options).source;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unreadable);
    out.error = error.what();
  }
  return out;
}

TEST_F(Lookup, ANamedFolderThatIsNotThereIsAnError) {
  const Variable cache("MASE_CACHE_DIR", (folder_ / "cache").string());
  fs::create_directories(folder_ / "data" / "jets");
  write_file(folder_ / "table.csv", jets_csv(20));
  for (const std::string name : {"jsc", "mnist", "toy_tiny", (folder_ / "table.csv").c_str()}) {
    EXPECT_THAT(outcome(name, {.data_dir = folder_ / "data" / "jts"}).error,
                AllOf(HasSubstr("the folder of --data-dir does not exist"),
                      HasSubstr("did you mean '" + (folder_ / "data" / "jets").string() + "'?")));
  }
  EXPECT_THAT(outcome("jsc", {.data_dir = folder_ / "x" / "y"}).error,
              HasSubstr("of its path " + folder_.string() + " exists"));
  EXPECT_THAT(outcome("jsc", {.data_dir = folder_ / "table.csv"}).error, HasSubstr("is a file"));
  fs::create_directory_symlink("loop", folder_ / "loop");
  EXPECT_THAT(outcome("jsc", {.data_dir = folder_ / "loop"}).error, HasSubstr("cannot be read"));
  const Variable data("MASE_DATA_DIR", (folder_ / "nowhere").string());
  EXPECT_THAT(outcome("jsc", {}).error, HasSubstr("the folder of MASE_DATA_DIR does not exist"));
  // Of no concern to a table that is named by its path.
  EXPECT_EQ(outcome((folder_ / "table.csv").string(), {}).error, "");
}

TEST_F(Lookup, AFileThatCannotBeGotAtIsNotPassedOver) {
  const Variable cache("MASE_CACHE_DIR", (folder_ / "cache").string());
  fs::create_directories(folder_ / "jsc");
  fs::create_symlink(folder_ / "gone", folder_ / "jsc" / kFile);
  EXPECT_THAT(outcome("jsc", {.data_dir = folder_}).error,
              HasSubstr("is a link to " + (folder_ / "gone").string()));
  fs::remove(folder_ / "jsc" / kFile);
  ASSERT_EQ(::mkfifo((folder_ / kFile).c_str(), 0600), 0);
  EXPECT_THAT(outcome("jsc", {.data_dir = folder_}).error, HasSubstr("is not a regular file"));
  // In the cache, which nobody named, it is only warned of.
  fs::create_directories(folder_ / "cache");
  fs::rename(folder_ / kFile, folder_ / "cache" / kFile);
  EXPECT_THAT(outcome("jsc", {}).warnings, ElementsAre(HasSubstr("is not a regular file")));
}

TEST_F(Lookup, TakingOtherDataThanANamedFoldersIsAWarning) {
  const Variable cache("MASE_CACHE_DIR", (folder_ / "cache").string());
  fs::create_directories(folder_ / "empty");
  EXPECT_THAT(outcome("jsc", {}).warnings, ElementsAre());
  EXPECT_THAT(outcome("jsc", {.data_dir = folder_ / "empty"}).warnings,
              ElementsAre(HasSubstr("using the simulated sample")));
  write_file(folder_ / "cache" / kFile, jets_csv(20));
  EXPECT_THAT(outcome("jsc", {.data_dir = folder_ / "empty"}).warnings,
              ElementsAre(HasSubstr("in the folder of --data-dir")));
  EXPECT_THAT(outcome("jsc", {}).warnings, ElementsAre());
}

}  // namespace
}  // namespace mase::data
