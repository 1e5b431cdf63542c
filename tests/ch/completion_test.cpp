// Completion scripts in the shells themselves, as far as they are installed.
#include "ch/options/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "mase/support/error.h"
#include "tests/ch/transcript.h"

namespace ch {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Completion : public testing::Test {
 protected:
  Completion() { fs::create_directories(folder_); }
  ~Completion() override { fs::remove_all(folder_); }

  std::string script(std::string_view shell) {
    const fs::path file = folder_ / ("ch." + std::string(shell));
    std::ofstream(file) << completion_script(shell);
    return file.string();
  }
  transcript::Outcome run(const std::string& command) { return transcript::run(command, folder_); }

  // What bash offers for the last of these words.
  std::string offered(const std::string& words, int count) {
    return run("bash -c 'source " + script("bash") + " && COMP_WORDS=(" + words +
               ") COMP_CWORD=" + std::to_string(count) + " && _ch && echo \"${COMPREPLY[*]}\"'")
        .output;
  }

  const fs::path folder_ =
      fs::temp_directory_path() / ("ch_completion_" + std::to_string(getpid()));
};

TEST_F(Completion, BashOffersWhatTheTablesHold) {
  EXPECT_EQ(offered("ch te", 1), "test\n");
  EXPECT_EQ(offered("ch train jsc-ti", 2), "jsc-tiny\n");
  EXPECT_EQ(offered("ch train jsc-tiny js", 3), "jsc\n");
  EXPECT_EQ(offered("ch train --batch-size 3 jsc-tiny js", 5), "jsc\n");
  EXPECT_EQ(offered("ch train --max-e", 2), "--max-epochs\n");
  EXPECT_EQ(offered("ch train --training-optimizer ad", 3), "adam adamw\n");
  EXPECT_EQ(offered("ch test --max-e", 2), "") << "test does not train";
  EXPECT_EQ(offered("ch info m", 2), "models\n");
}

TEST_F(Completion, EachShellReadsItsScript) {
  for (const std::string& shell : shell_names()) {
    if (run("command -v " + shell).exit_code != 0) continue;
    const transcript::Outcome outcome = run(shell + " -n " + script(shell));
    EXPECT_EQ(outcome.exit_code, 0) << shell << ": " << outcome.output;
  }
}

TEST_F(Completion, RefusesOtherShells) {
  EXPECT_THROW(completion_script("tcsh"), mase::Error);
}

}  // namespace
}  // namespace ch
