// The shape of the house, held by tests: who may include whom, where torch may appear, how long a
// file may be, which folder names do not exist.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// From the ground up: a folder includes itself and what stands before it.
constexpr std::array kFolders = {"support", "numerics", "ir",     "ops",    "io",
                                 "data",    "models",   "engine", "passes", "train"};

// The header of everything, for programs that use the library.
constexpr const char* kUmbrella = "mase/mase.h";

std::size_t level(const std::string& folder) {
  return static_cast<std::size_t>(std::find(kFolders.begin(), kFolders.end(), folder) -
                                  kFolders.begin());
}

std::vector<fs::path> sources(const std::vector<std::string>& tops) {
  std::vector<fs::path> out;
  for (const std::string& top : tops) {
    const fs::path folder = fs::path(MASE_SOURCE_DIR) / top;
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const std::string extension = entry.path().extension();
      if (extension == ".h" || extension == ".cpp") out.push_back(entry.path());
    }
  }
  return out;
}

std::vector<std::string> lines(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::string in_tree(const fs::path& path) {
  return fs::relative(path, MASE_SOURCE_DIR).generic_string();
}

TEST(Architecture, NoFileIncludesUpwards) {
  const std::regex include(R"re(^\s*#include "(mase|ch)/([a-z_]+)/?.*")re");
  for (const fs::path& path : sources({"mase"})) {
    if (in_tree(path) == kUmbrella) continue;
    const std::string folder = *std::next(fs::relative(path, MASE_SOURCE_DIR).begin());
    ASSERT_LT(level(folder), kFolders.size()) << in_tree(path) << " is in no known folder";
    for (const std::string& line : lines(path)) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      EXPECT_EQ(match[1], "mase") << in_tree(path) << " includes the program: " << line;
      EXPECT_LE(level(match[2]), level(folder)) << in_tree(path) << " includes upwards: " << line;
    }
  }
}

// The rooms of a folder, from the ground up; what lies outside of them is below all.
TEST(Architecture, NoRoomOfIoIncludesUpwards) {
  const std::vector<std::string> rooms = {"text", "arrays", "torch", "tables", "events", "graph"};
  const auto place = [&](const std::string& room) {
    return std::find(rooms.begin(), rooms.end(), room) - rooms.begin();
  };
  const std::regex include(R"re(^\s*#include "mase/io/(?:([a-z_]+)/)?[a-z0-9_]+\.h")re");
  for (const fs::path& path : sources({"mase/io"})) {
    const bool ground = path.parent_path().filename() == "io";
    const std::string room = path.parent_path().filename();
    ASSERT_TRUE(ground || place(room) < std::ssize(rooms)) << in_tree(path);
    for (const std::string& line : lines(path)) {
      std::smatch match;
      if (!std::regex_search(line, match, include) || !match[1].matched) continue;
      EXPECT_FALSE(ground) << in_tree(path) << " includes upwards: " << line;
      EXPECT_LE(place(match[1]), place(room)) << in_tree(path) << " includes upwards: " << line;
    }
  }
}

// The umbrella is for users: what the library includes says what it needs.
TEST(Architecture, TheUmbrellaHasEveryPassAndIsNotUsedInside) {
  const std::regex row(R"re(^extern const Pass k\w+;)re");
  const std::vector<std::string> passes = lines(fs::path(MASE_SOURCE_DIR) / "mase/passes/passes.h");
  for (const fs::path& path : sources({"mase", "ch"})) {
    const std::string include = "#include \"" + in_tree(path) + "\"";
    for (const std::string& line : lines(path)) {
      EXPECT_NE(line, std::string("#include \"") + kUmbrella + "\"") << in_tree(path);
      if (!std::regex_search(line, row)) continue;
      EXPECT_TRUE(std::find(passes.begin(), passes.end(), include) != passes.end())
          << in_tree(path) << " is not in mase/passes/passes.h";
    }
  }
}

TEST(Architecture, TorchStaysInItsFolder) {
  const std::regex torch(R"re(^\s*#include [<"](torch|ATen|c10)/)re");
  for (const fs::path& path : sources({"mase", "ch", "tests", "examples", "fuzz"})) {
    const std::string name = in_tree(path);
    if (name.starts_with("mase/engine/torch/") || name.starts_with("tests/engine/torch/")) continue;
    for (const std::string& line : lines(path)) {
      EXPECT_FALSE(std::regex_search(line, torch)) << name << ": " << line;
    }
  }
}

// A fuzz target is a file, a line of CMake and seeds; what they are called agrees.
TEST(Architecture, EveryFuzzTargetHasALineAndSeeds) {
  const fs::path folder = fs::path(MASE_SOURCE_DIR) / "fuzz";
  const std::regex target(R"re(^mase_fuzz\((\w+))re");
  const std::regex seeds(R"re(\{"(\w+)", \w+_seeds\})re");
  std::set<std::string> targets;
  for (const std::string& line : lines(folder / "CMakeLists.txt")) {
    std::smatch match;
    if (std::regex_search(line, match, target)) targets.insert(match[1]);
  }
  // The files of configs/ are those of these targets (scripts/fuzz.sh).
  std::set<std::string> seeded = {"toml", "model_file"};
  for (const fs::path& path : sources({"fuzz"})) {
    const std::string stem = path.stem().string();
    for (std::string line : lines(path)) {
      if (path.extension() == ".cpp" && line.starts_with("void fuzz(")) {
        EXPECT_TRUE(targets.contains(stem)) << in_tree(path) << " has no line in CMakeLists.txt";
      }
      for (std::smatch match; std::regex_search(line, match, seeds); line = match.suffix()) {
        seeded.insert(match[1]);
      }
    }
  }
  EXPECT_EQ(seeded, targets);
  for (const auto& entry : fs::directory_iterator(folder / "regressions")) {
    EXPECT_TRUE(targets.contains(entry.path().filename().string())) << entry.path();
  }
}

TEST(Architecture, FilesStayShort) {
  constexpr std::size_t kLimit = 1000;
  for (const fs::path& path : sources({"mase", "ch", "tests", "bench", "fuzz", "examples"})) {
    EXPECT_LE(lines(path).size(), kLimit) << in_tree(path);
  }
}

TEST(Architecture, EverySourceSaysWhatItIs) {
  for (const fs::path& path : sources({"mase", "ch"})) {
    if (path.extension() != ".cpp") continue;
    const std::vector<std::string> text = lines(path);
    ASSERT_FALSE(text.empty()) << in_tree(path);
    EXPECT_TRUE(text[0].starts_with("//")) << in_tree(path) << " does not open with what it does";
  }
}

TEST(Architecture, HeadersAreIncludedOnce) {
  for (const fs::path& path : sources({"mase", "ch"})) {
    if (path.extension() != ".h") continue;
    const std::vector<std::string> text = lines(path);
    EXPECT_TRUE(std::find(text.begin(), text.end(), "#pragma once") != text.end()) << in_tree(path);
    for (const std::string& line : text) {
      EXPECT_FALSE(line.starts_with("using namespace")) << in_tree(path);
    }
  }
}

TEST(Architecture, NoRoomWithoutASubject) {
  const std::regex vague(R"re((^|/)(utils?|helpers?|common|misc)(/|\.(cpp|h)$))re");
  for (const fs::path& path : sources({"mase", "ch", "tests"})) {
    EXPECT_FALSE(std::regex_search(in_tree(path), vague)) << in_tree(path);
  }
}

// The calls of a file, each with its arguments on one line: a call may span several.
std::vector<std::string> calls(const fs::path& path, const std::regex& function) {
  std::string text;
  for (const std::string& line : lines(path)) text += line.substr(0, line.find("//")) + " ";
  std::vector<std::string> out;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), function);
       it != std::sregex_iterator(); ++it) {
    std::size_t end = static_cast<std::size_t>(it->position() + it->length());
    for (int depth = 1; depth > 0 && end < text.size(); ++end) {
      depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
    }
    out.push_back(text.substr(static_cast<std::size_t>(it->position()),
                              end - static_cast<std::size_t>(it->position())));
  }
  return out;
}

// The forms of std::filesystem that throw make internal errors of users' mistakes: a call gives an
// error code, asks a file_status, or is one of mase/support/paths.h.
TEST(Architecture, FileSystemCallsDoNotThrow) {
  const std::regex function(
      R"re(\b(fs|filesystem)::(exists|is_[a-z_]+|status|symlink_status|file_size|hard_link_count)re"
      R"re(|last_write_time|space|absolute|canonical|weakly_canonical|relative)re"
      R"re(|current_path|temp_directory_path|equivalent|read_symlink|create_[a-z_]+|copy[a-z_]*)re"
      R"re(|remove|remove_all|rename|resize_file|permissions)\()re");
  const std::regex safe(
      R"re([ ,(&*](code|error|ignored|failed)\)$|\((status|there|fs::[a-z_]*status\(.*)\)$)re");
  const std::regex loop(R"re(for \([^;]* : [^;]*directory_iterator\()re");
  for (const fs::path& path : sources({"mase", "ch"})) {
    for (const std::string& call : calls(path, function)) {
      EXPECT_TRUE(std::regex_search(call, safe)) << in_tree(path) << ": " << call;
    }
    for (const std::string& line : lines(path)) {
      EXPECT_FALSE(std::regex_search(line, loop)) << in_tree(path) << ": " << line;
    }
  }
}

// fmt::print throws where the stream is closed or full, dump() for bytes that are not UTF-8.
TEST(Architecture, WritingToStreamsAndJsonDoesNotThrow) {
  const std::regex throwing(R"re(\bfmt::print\(|\.dump\()re");
  for (const fs::path& path : sources({"mase", "ch"})) {
    if (in_tree(path) == "mase/ir/value.cpp") continue;  // json_text
    for (const std::string& line : lines(path)) {
      EXPECT_FALSE(std::regex_search(line, throwing)) << in_tree(path) << ": " << line;
    }
  }
}

}  // namespace
