// Completion scripts in the shells themselves, as far as they are installed.
#include "ch/options/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "mase/support/error.h"
#include "tests/ch/transcript.h"

namespace ch {
namespace {

namespace fs = std::filesystem;

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

  const fs::path folder_ = fs::path(testing::TempDir()) / "completion";
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
  EXPECT_EQ(offered("ch help pas", 2), "pass\n");
  EXPECT_EQ(offered("ch help pass report_g", 3), "report_graph\n");
  EXPECT_EQ(offered("ch help option max-e", 3), "max-epochs\n");
  EXPECT_EQ(offered("ch help format integ", 3), "integer\n");
  EXPECT_EQ(offered("ch help op batch", 3), "batch_norm1d batch_norm2d\n");
  EXPECT_EQ(offered("ch help man tra", 3), "train transform\n");
  EXPECT_EQ(offered("ch help train re", 3), "");
}

TEST_F(Completion, EachShellReadsItsScript) {
  for (const std::string& shell : shell_names()) {
    if (run("command -v " + shell).exit_code != 0) continue;
    const transcript::Outcome outcome = run(shell + " -n " + script(shell));
    EXPECT_EQ(outcome.exit_code, 0) << shell << ": " << outcome.output;
  }
}

// What fish offers for the last word of a line, one a line, without the explanations.
TEST_F(Completion, FishOffersWhatTheTablesHold) {
  if (run("command -v fish").exit_code != 0) GTEST_SKIP() << "fish is not installed";
  const std::string file = script("fish");
  const auto offers = [&](const std::string& line) {
    return run("HOME=$PWD fish --no-config -c 'source " + file + "; complete -C \"" + line +
               "\"' | cut -f 1 | sort | tr '\\n' ' '")
        .output;
  };
  EXPECT_EQ(offers("ch tr"), "train transform ");
  EXPECT_EQ(offers("ch train jsc-ti"), "jsc-tiny ");
  EXPECT_EQ(offers("ch train --max-e"), "--max-epochs ");
  EXPECT_EQ(offers("ch train --training-optimizer ad"), "adam adamw ");
  EXPECT_EQ(offers("ch train --training-optimizer=ad"),
            "--training-optimizer=adam --training-optimizer=adamw ");
  EXPECT_EQ(offers("ch test --max-e"), "") << "test does not train";
  EXPECT_EQ(offers("ch info m"), "models ");
  EXPECT_EQ(offers("ch help pas"), "pass ");
  EXPECT_EQ(offers("ch help pass report_g"), "report_graph ");
  EXPECT_EQ(offers("ch help op batch"), "batch_norm1d batch_norm2d ");
  EXPECT_EQ(offers("ch help option max-e"), "max-epochs ");
  std::ofstream(folder_ / "net.toml") << "";
  EXPECT_EQ(offers("ch transform --config ne"), "net.toml ");
  EXPECT_EQ(offers("ch train ne"), "net.toml ") << "a model may be a file";
}

// zsh completes in its line editor only: a pseudo-terminal of its own types a tab into one.
TEST_F(Completion, ZshOffersWhatTheTablesHold) {
  if (run("command -v zsh").exit_code != 0) GTEST_SKIP() << "zsh is not installed";
  script("zsh");
  std::ofstream(folder_ / "drive.zsh") << R"END(zmodload zsh/zpty
zpty shell zsh -f -i
line() { zpty -w shell "$1" }
line "PROMPT='' RPROMPT=''; unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D"
line 'source ch.zsh; LISTMAX=1000'
# Tab completes; control-X shows what the line has become.
line 'show() { print -r -- "LINE=[$BUFFER]"; BUFFER=""; zle accept-line }'
line "zle -N show; bindkey '^X' show; bindkey '^I' expand-or-complete; print READ''Y"
zpty -r -m shell text '*READY*'
zpty -w -n shell "$1"$'\t\x18'
zpty -r -m shell text '*LINE=\[*\]*'
print -r -- "${${text##*LINE=\[}%%\]*}"
zpty -d shell
)END";
  const auto completed = [&](const std::string& line) {
    return run("HOME=$PWD TERM=dumb timeout 30 zsh -f drive.zsh '" + line + "'").output;
  };
  EXPECT_EQ(completed("ch trai"), "ch train \n");
  EXPECT_EQ(completed("ch train jsc-ti"), "ch train jsc-tiny \n");
  EXPECT_EQ(completed("ch train --max-e"), "ch train --max-epochs \n");
  EXPECT_EQ(completed("ch train --training-optimizer sg"), "ch train --training-optimizer sgd \n");
  EXPECT_EQ(completed("ch train jsc-tiny toy"), "ch train jsc-tiny toy_tiny \n");
  EXPECT_EQ(completed("ch test --max-e"), "ch test --max-e\n") << "test does not train";
  EXPECT_EQ(completed("ch info mod"), "ch info models \n");
  EXPECT_EQ(completed("ch help pass report_g"), "ch help pass report_graph \n");
  EXPECT_EQ(completed("ch help op linea"), "ch help op linear \n");
  std::ofstream(folder_ / "net.toml") << "";
  EXPECT_EQ(completed("ch transform --config ne"), "ch transform --config net.toml \n");
  EXPECT_EQ(completed("ch train ne"), "ch train net.toml \n") << "a model may be a file";
}

TEST_F(Completion, RefusesOtherShells) {
  EXPECT_THROW(completion_script("tcsh"), mase::Error);
}

}  // namespace
}  // namespace ch
