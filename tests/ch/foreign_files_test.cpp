// The built program on files that were made to harm: what it shows of them, that it ends, and how.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/ch/transcript.h"

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ForeignFiles : public testing::Test {
 protected:
  ForeignFiles() { fs::create_directories(folder_); }
  ~ForeignFiles() override { fs::remove_all(folder_); }

  void write(const char* name, std::string_view text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  // Within 2 GB (sanitizers reserve more) and 20 seconds of the processor; nothing but line breaks
  // may command the terminal.
  transcript::Outcome run(const std::string& command) {
#ifdef __SANITIZE_ADDRESS__
    const std::string limits = "ulimit -t 60; ";
#else
    const std::string limits = "ulimit -v 2000000; ulimit -t 20; ";
#endif
    const auto outcome = transcript::run(limits + command + " 2>&1", folder_);
    EXPECT_TRUE(std::none_of(outcome.output.begin(), outcome.output.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 && c != '\n';
    })) << command;
    return outcome;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / "foreign_files";
};

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST_F(ForeignFiles, ControlCharactersAreSpelledOut) {
  using namespace std::string_literals;
  write("c.toml", "model = \"jsc-tiny\"\ndataset = \"jsc\"\n\"\\u001b[31mevil\\u0000tail\" = 1\n");
  const auto config = run("ch train --config c.toml");
  EXPECT_EQ(config.exit_code, 2);
  EXPECT_THAT(config.output, HasSubstr("\\x1b[31mevil\\x00tail"));
  write("m.toml", "layers = [\"\\u001b[31mLinear(1)\"]\n");
  EXPECT_EQ(run("ch train m.toml jsc").exit_code, 2);
  const auto typed = run("ch train \"$(printf '\\033[31mnet')\" jsc --seed 1");
  EXPECT_THAT(typed.output, HasSubstr("\\x1b[31mnet"));
}

TEST_F(ForeignFiles, LongNamesAreShortened) {
  write("long.toml",
        "model = \"jsc-tiny\"\ndataset = \"jsc\"\n[passes." + std::string(3'000'000, 'x') + "]\n");
  const auto outcome = run("ch transform --config long.toml");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_LT(outcome.output.size(), 20'000u);
  EXPECT_THAT(outcome.output, HasSubstr("bytes left out)"));
}

TEST_F(ForeignFiles, DepthEndsInAnError) {
  const std::string dotted = "a" + repeated(".a", 20'000) + " = 1\n";
  write("dotted.toml", "model = \"jsc-tiny\"\ndataset = \"jsc\"\n" + dotted);
  write("net.toml", "layers = [\"Linear(16, 5)\"]\n" + dotted);
  write("lists.toml",
        "layers = " + std::string(99, '[') + repeated("1,", 250'000) + std::string(99, ']') + "\n");
  write("groups.toml",
        "model = \"jsc-tiny\"\ndataset = \"jsc\"\n[passes.quantize]\nby = \"regex_name\"\n"
        "[passes.quantize.\"" +
            std::string(20'000, '(') + std::string(20'000, ')') +
            "\".config]\nname = \"integer\"\n");
  EXPECT_THAT(run("ch transform --config dotted.toml").output, HasSubstr("more than 100 deep"));
  EXPECT_THAT(run("ch train net.toml jsc").output, HasSubstr("more than 100 deep"));
  EXPECT_EQ(run("ch train lists.toml jsc").exit_code, 2);
  const auto groups = run("ch transform --config groups.toml");
  EXPECT_TRUE(groups.exit_code == 2 || groups.exit_code == 1) << groups.output;
}

TEST_F(ForeignFiles, PipesAndDevicesAreNotWaitedFor) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe.toml").c_str(), 0600), 0);
  for (const char* command :
       {"ch transform --config pipe.toml", "ch train pipe.toml jsc", "ch train jsc-tiny pipe.toml",
        "ch test jsc-tiny jsc --load pipe.toml", "ch test jsc-tiny jsc --load /dev/zero",
        "ch train jsc-tiny /dev/zero"}) {
    const auto outcome = run("timeout 20 " + std::string(command));
    EXPECT_TRUE(outcome.exit_code == 2 || outcome.exit_code == 3)
        << command << ": " << outcome.exit_code << "\n"
        << outcome.output;
  }
}

}  // namespace
