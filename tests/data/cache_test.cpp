#include "mase/data/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "mase/data/lookup.h"
#include "mase/support/files.h"
#include "mase/support/sha256.h"
#include "tests/data/jets_file.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Cache : public testing::Test {
 protected:
  Cache()
      : folder_(fs::path(testing::TempDir()) /
                (std::string("cache_test_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    write_file(source(), jets_csv(200));
    ::setenv("MASE_CACHE_DIR", cache().c_str(), 1);
  }
  ~Cache() override {
    ::unsetenv("MASE_CACHE_DIR");
    std::error_code code;
    fs::permissions(cache(), fs::perms::owner_all, code);
    fs::remove_all(folder_);
  }

  fs::path source() const { return folder_ / "jets.csv"; }
  fs::path cache() const { return folder_ / "cache"; }
  fs::path entry() const {
    for (const auto& file : fs::directory_iterator(cache() / "prepared")) return file.path();
    return {};
  }
  DataSet open_source(bool use_cache = true) {
    return open(source().string(),
                {.use_cache = use_cache, .log = [this](LogLevel level, std::string_view line) {
                   log_.push_back(fmt::format("{}: {}", name(level), line));
                 }});
  }
  // Long enough for the source's times to be trusted.
  static void let_time_pass() { std::this_thread::sleep_for(std::chrono::milliseconds(150)); }

  fs::path folder_;
  std::vector<std::string> log_;
};

void expect_same(const DataSet& a, const DataSet& b) {
  EXPECT_TRUE(a.train.features == b.train.features);
  EXPECT_TRUE(a.train.labels == b.train.labels);
  EXPECT_TRUE(a.test.features == b.test.features);
  EXPECT_TRUE(a.test.labels == b.test.labels);
  EXPECT_EQ(a.hash, b.hash);
}

TEST_F(Cache, ASecondOpeningTakesThePreparedRows) {
  const DataSet plain = open_source(false);
  EXPECT_FALSE(fs::exists(cache()));
  expect_same(open_source(), plain);
  ASSERT_TRUE(fs::exists(entry()));
  // Proof that the entry is read: one with other rows gives these.
  const PreparedCache other(cache(), {});
  Prepared rows = *other.load("jsc", plain.hash);
  rows.test.labels.values_mut<std::int64_t>()[0] += 1;
  other.store("jsc", plain.hash, rows);
  EXPECT_EQ(open_source().test.labels.at(0), plain.test.labels.at(0) + 1);
}

TEST_F(Cache, RowsAreAlignedInMemory) {
  open_source();
  const DataSet set = open_source();
  for (const auto* tensor : {&set.train.features, &set.train.labels, &set.test.features}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor->data()) % 64, 0u);
  }
}

TEST_F(Cache, ADamagedEntryIsMadeAnew) {
  const DataSet plain = open_source();
  const std::string whole = read_file(entry()).or_throw();
  const fs::path path = entry();
  // Wherever the damage is: header, arrays (not the unused space between), or a missing end.
  for (const std::size_t at : {0u, 9u, 13u, 20u, 80u, 90u, 125u, 159u, 4096u, 9999u}) {
    std::string damaged = whole;
    damaged[at] ^= 1;
    write_file(path, damaged);
    EXPECT_FALSE(PreparedCache(cache(), {}).load("jsc", plain.hash).has_value()) << at;
    expect_same(open_source(), plain);
    EXPECT_TRUE(read_file(path).or_throw() == whole) << at;
  }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{100}, std::size_t{4096}, whole.size() - 1}) {
    write_file(path, std::string_view(whole).substr(0, size));
    expect_same(open_source(), plain);
    EXPECT_TRUE(read_file(path).or_throw() == whole) << size;
  }
  write_file(path, whole + "x");
  expect_same(open_source(), plain);
}

// An entry that is whole may still be another's: what does not fit is prepared again.
TEST_F(Cache, RowsThatDoNotFitAreMadeAnew) {
  const DataSet plain = open_source();
  const PreparedCache kept(cache(), {});
  for (const std::int64_t label : {-1, 5, 1'000'000'000}) {
    Prepared rows = *kept.load("jsc", plain.hash);
    rows.test.labels.values_mut<std::int64_t>()[0] = label;
    kept.store("jsc", plain.hash, rows);
    expect_same(open_source(), plain);
  }
  Prepared rows = *kept.load("jsc", plain.hash);
  rows.train.features = ir::Tensor({rows.train.rows(), 3}, ir::DType::Float32);
  rows.test.features = ir::Tensor({rows.test.rows(), 3}, ir::DType::Float32);
  kept.store("jsc", plain.hash, rows);
  expect_same(open_source(), plain);
}

// Nothing of a loaded entry is left on the disk: cutting the file off, or writing into it, changes
// no row and ends no process (a mapping would: SIGBUS).
TEST_F(Cache, AnEntryMayBeCutOffOrOverwrittenWhileInUse) {
  const DataSet plain = open_source(false);
  open_source();
  const DataSet cached = open_source();
  std::string whole = read_file(entry()).or_throw();
  {
    std::fstream file(entry(), std::ios::in | std::ios::out | std::ios::binary);
    file << std::string(whole.size(), 'x');
  }
  expect_same(cached, plain);
  fs::resize_file(entry(), 0);
  expect_same(cached, plain);
  expect_same(open_source(), plain);
}

TEST_F(Cache, APipeInThePlaceOfAnEntryStopsNobody) {
  const DataSet plain = open_source();
  const fs::path path = entry();
  fs::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  expect_same(open_source(), plain);
}

TEST_F(Cache, AChangedSourceIsPreparedAgain) {
  const DataSet before = open_source();
  let_time_pass();
  open_source();
  write_file(source(), jets_csv(200, [](std::int64_t row, const std::string& name) {
               return row == 0 && name == "j_zlogz" ? "7" : "";
             }));
  const DataSet after = open_source();
  EXPECT_NE(after.hash, before.hash);
  EXPECT_FALSE(after.train.features == before.train.features &&
               after.test.features == before.test.features);
}

TEST_F(Cache, TheHashOfAnUntouchedFileIsRemembered) {
  const PreparedCache rows(cache(), {});
  let_time_pass();
  EXPECT_EQ(rows.hash_of(source()), sha256_file(source()).or_throw());
  const fs::path note = fs::directory_iterator(cache() / "sources")->path();
  std::string text = read_file(note).or_throw();
  text.replace(text.size() - 65, 64, std::string(64, 'f'));
  write_file(note, text);
  EXPECT_EQ(rows.hash_of(source()), std::string(64, 'f'));  // the note is believed
  write_file(source(), jets_csv(200));                      // until the file is written again
  EXPECT_EQ(rows.hash_of(source()), sha256_file(source()).or_throw());
  let_time_pass();
  EXPECT_EQ(rows.hash_of(source()), sha256_file(source()).or_throw());
  write_file(note, "garbage");
  EXPECT_EQ(rows.hash_of(source()), sha256_file(source()).or_throw());
  // A file written a moment ago may be written again within one tick of the clock: no note is kept.
  fs::remove(note);
  write_file(source(), jets_csv(100));
  rows.hash_of(source());
  EXPECT_FALSE(fs::exists(note));
}

TEST_F(Cache, AFolderThatCannotBeWrittenIsToldOnceAndDoesNoHarm) {
  write_file(cache(), "a file where the folder should be");
  const DataSet plain = open_source(false);
  log_.clear();
  expect_same(open_source(), plain);
  expect_same(open_source(), plain);
  const auto told = std::count_if(log_.begin(), log_.end(), [](const std::string& line) {
    return line.find("warning: prepared data is not kept") != std::string::npos;
  });
  EXPECT_EQ(told, 1);
}

TEST_F(Cache, WorksWithoutAnyFolder) {
  const PreparedCache none("", {});
  EXPECT_EQ(none.hash_of(source()), sha256_file(source()).or_throw());
  EXPECT_FALSE(none.load("jsc", std::string(64, '0')).has_value());
}

TEST_F(Cache, SeveralProcessesMayFillItAtOnce) {
  const DataSet plain = open_source(false);
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      bool same = true;
      for (int round = 0; round < 5; ++round) {
        same = same && open(source().string()).test.features == plain.test.features;
        std::error_code code;
        if (round % 2 == i % 2) fs::remove_all(cache() / "prepared", code);
      }
      ::_exit(same ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

TEST_F(Cache, RemembersWhatItExplained) {
  EXPECT_FALSE(told_before(cache(), "this"));
  EXPECT_TRUE(told_before(cache(), "this"));
  EXPECT_FALSE(told_before(cache(), "that"));
  EXPECT_FALSE(told_before("", "this"));
  // A folder that cannot be there: told each time, and no harm done.
  EXPECT_FALSE(told_before(source() / "no_folder", "this"));
  EXPECT_FALSE(told_before(source() / "no_folder", "this"));
}

TEST_F(Cache, TheSimulatedSampleIsExplainedOnce) {
  const auto first_line = [](bool use_cache) {
    std::string first;
    open("jsc", {.use_cache = use_cache, .log = [&](LogLevel, std::string_view line) {
                   if (first.empty()) first = line;
                 }});
    return first;
  };
  EXPECT_THAT(first_line(true), HasSubstr("for the published data put"));
  EXPECT_THAT(first_line(true), testing::StartsWith("jsc: the simulated sample; `ch data jsc"));
  EXPECT_THAT(first_line(false), HasSubstr("for the published data put"));
}

}  // namespace
}  // namespace mase::data
