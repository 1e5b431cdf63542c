// The programs of examples/, run as a person runs them. Their numbers may differ in the last digits
// between processors and engines, their text may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Outcome {
  int status = -1;
  std::string output;
};

Outcome run(const std::string& command) {
  Outcome result;
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> part{};
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) {
    result.output.append(part.data(), n);
  }
  result.status = pclose(pipe);
  return result;
}

// For the shell: a checkout may lie anywhere, also below a folder with a blank in its name.
std::string quoted(const fs::path& path) {
  return "'" + path.string() + "'";
}

std::string program(const std::string& name) {
  return quoted(fs::path(MASE_BINARY_DIR) / "bin" / name);
}

// Words and numbers; rules of tables and blanks, whose lengths follow the digits, are left out.
std::vector<std::string> tokens(const std::string& text) {
  static const std::regex kToken("[-+]?[0-9]+(\\.[0-9]+)?(e[-+]?[0-9]+)?|[A-Za-z_]+|[^-=+\\s|]");
  std::vector<std::string> out;
  for (std::sregex_iterator it(text.begin(), text.end(), kToken), end; it != end; ++it) {
    out.push_back(it->str());
  }
  return out;
}

bool is_number(const std::string& token) {
  return token.find_first_of("0123456789") != std::string::npos;
}

void expect_same_text(const std::string& actual, const std::string& expected) {
  const std::vector<std::string> a = tokens(actual);
  const std::vector<std::string> b = tokens(expected);
  ASSERT_EQ(a.size(), b.size()) << actual;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (is_number(a[i]) && is_number(b[i])) {
      EXPECT_NEAR(std::stod(a[i]), std::stod(b[i]), 1e-4 * (1 + std::abs(std::stod(b[i]))));
    } else {
      ASSERT_EQ(a[i], b[i]) << "token " << i << " of\n" << actual;
    }
  }
}

std::string content(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Examples, LabPrintsWhatANotebookWould) {
  const fs::path here = fs::path(MASE_SOURCE_DIR) / "tests/examples";
  const Outcome lab = run(program("lab") + " " + quoted(here / "jsc_tiny.ckpt"));
  EXPECT_EQ(lab.status, 0) << lab.output;
  expect_same_text(lab.output, content(here / "lab.txt"));
}

TEST(Examples, SweepComparesWidthsAndGoesOn) {
  const fs::path folder = fs::path(testing::TempDir()) / "widths";
  const Outcome first = run(program("sweep") + " " + quoted(folder) + " 1");
  EXPECT_EQ(first.status, 0) << first.output;
  EXPECT_THAT(first.output, testing::HasSubstr("width"));
  EXPECT_THAT(content(folder / "sweep.html"), testing::HasSubstr("test accuracy by width"));
  const Outcome again = run(program("sweep") + " " + quoted(folder) + " 1");
  EXPECT_EQ(again.output, first.output) << "the times of the first, too: nothing ran again";
}

// docs/sweep.md quotes the program from where the data is opened on.
TEST(Examples, TheDocumentationQuotesTheSweep) {
  const std::string page = content(fs::path(MASE_SOURCE_DIR) / "docs/sweep.md");
  const std::size_t from = page.find("```cpp\n");
  ASSERT_NE(from, std::string::npos);
  std::istringstream snippet(page.substr(from + 7, page.find("```", from + 7) - from - 7));
  std::string indented;
  for (std::string line; std::getline(snippet, line);)
    indented += (line.empty() ? "" : "  ") + line + "\n";
  EXPECT_THAT(content(fs::path(MASE_SOURCE_DIR) / "examples/sweep.cpp"),
              testing::HasSubstr(indented));
}

// The README quotes the program as it is; only the indentation differs.
TEST(Examples, ReadmeQuotesTheLab) {
  const std::string readme = content(fs::path(MASE_SOURCE_DIR) / "README.md");
  const std::string program_text = content(fs::path(MASE_SOURCE_DIR) / "examples/lab.cpp");
  const std::size_t from = readme.find("```cpp\n");
  ASSERT_NE(from, std::string::npos);
  std::istringstream snippet(readme.substr(from + 7, readme.find("```", from + 7) - from - 7));
  std::string indented;
  for (std::string line; std::getline(snippet, line);)
    indented += (line.empty() ? "" : "  ") + line + "\n";
  EXPECT_THAT(program_text, testing::HasSubstr(indented));
}

TEST(Examples, LabSaysWhatItNeeds) {
  const Outcome lab = run(program("lab"));
  EXPECT_EQ(WEXITSTATUS(lab.status), 2);
  EXPECT_EQ(lab.output, "usage: lab CHECKPOINT [DATA]\n");
}

constexpr const char* kCounts =
    "seq_blocks_0     batch_norm1d        512\n"
    "seq_blocks_1     relu                128\n"
    "seq_blocks_2     linear              640\n"
    "seq_blocks_3     relu                 40\n"
    "total                               1320\n";

TEST(Examples, OwnPassFromItsOwnMain) {
  EXPECT_EQ(run(program("count_flops_main")).output, kCounts);
}

TEST(Examples, OwnPassAsAPlugIn) {
  const fs::path folder = fs::path(testing::TempDir()) / "own_pass";
  const Outcome transform =
      run(program("ch") + " transform --config " +
          quoted(fs::path(MASE_SOURCE_DIR) / "examples/own_pass/count_flops.toml") + " --plugin " +
          quoted(MASE_COUNT_FLOPS) + " --project-dir " + quoted(folder));
  EXPECT_EQ(transform.status, 0);
  EXPECT_THAT(transform.output, testing::HasSubstr(kCounts));
  fs::remove_all(folder);
}

}  // namespace
