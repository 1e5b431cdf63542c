// `ch data --download` against a web server of this process, as a user types it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "mase/support/files.h"
#include "tests/ch/transcript.h"
#include "tests/data/http_server.h"

namespace {

namespace fs = std::filesystem;
using mase::data::HttpServer;
using mase::data::Request;
using testing::HasSubstr;

std::string bytes_of(const fs::path& path) {
  return mase::read_file(path).or_throw();
}

std::string answer(const Request& request, const std::string& content) {
  const std::size_t first = request.range_first();
  const bool part = first > 0 && request.header("If-Range") == "\"1\"";
  const std::string range =
      fmt::format("Content-Range: bytes {}-{}/{}\r\n", first, content.size() - 1, content.size());
  return fmt::format("HTTP/1.1 {}\r\nETag: \"1\"\r\n{}Content-Length: {}\r\n\r\n",
                     part ? "206 Partial Content" : "200 OK", part ? range : "",
                     content.size() - (part ? first : 0)) +
         content.substr(part ? first : 0);
}

class ProgramDownload : public testing::Test {
 protected:
  ProgramDownload() { fs::create_directories(folder_); }
  ~ProgramDownload() override { fs::remove_all(folder_); }

  transcript::Outcome run(const std::string& command) { return transcript::run(command, folder_); }
  std::vector<std::string> files(const std::string& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / folder)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / "ch_download";
};

TEST_F(ProgramDownload, GoesOnWhereItBrokeOffAndIsThenUsed) {
  const std::string jets = bytes_of(MASE_SOURCE_DIR "/data/jsc/jsc_generated.h5");
  std::atomic<bool> broken = true;
  const HttpServer server([&](const Request& request) {
    const std::string whole = answer(request, jets);
    return broken ? whole.substr(0, whole.size() / 2) : whole;
  });
  const std::string command = "ch data jsc --data-dir d --download --url " + server.url("/jets.z");
  const transcript::Outcome first = run(command);
  EXPECT_EQ(first.exit_code, 1);
  EXPECT_THAT(first.output, HasSubstr("the connection broke after"));
  EXPECT_THAT(first.output, HasSubstr("goes on where it stopped"));

  broken = false;
  const transcript::Outcome second = run(command);
  EXPECT_EQ(second.exit_code, 0) << second.output;
  EXPECT_THAT(second.output, HasSubstr("going on after"));
  EXPECT_GT(server.requests().back().range_first(), jets.size() / 3);
  ASSERT_EQ(files("d/jsc").size(), 1u);
  const std::string name = files("d/jsc").front();
  EXPECT_TRUE(bytes_of(folder_ / "d/jsc" / name) == jets);

  const std::size_t requests = server.requests().size();
  EXPECT_THAT(run(command).output, HasSubstr("is there already"));
  EXPECT_EQ(server.requests().size(), requests);
  const transcript::Outcome shown = run("ch data jsc --data-dir d");
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.output, HasSubstr((folder_ / "d/jsc" / name).string()));
}

TEST_F(ProgramDownload, RefusesWhatIsNotTheFile) {
  const HttpServer server(
      [](const Request& request) { return answer(request, "<html>please log in</html>"); });
  const transcript::Outcome jets =
      run("ch data jsc --data-dir d --download --url " + server.url("/jets.z"));
  EXPECT_EQ(jets.exit_code, 1);
  EXPECT_THAT(jets.output, HasSubstr("it may be an error page"));
  EXPECT_TRUE(files("d/jsc").empty());

  const transcript::Outcome digits =
      run("ch data mnist --data-dir d --download --url " + server.url("/mnist/"));
  EXPECT_EQ(digits.exit_code, 1);
  EXPECT_THAT(digits.output, HasSubstr("is not the expected file: its SHA-256 is "));
  EXPECT_TRUE(files("d/mnist").empty()) << files("d/mnist").front();
}

// The part stays for the next try; the exit code names the signal.
TEST_F(ProgramDownload, StopsOnSignals) {
  std::atomic<bool> over = false;
  const HttpServer server([&](const Request& request) {
    while (!over) ::usleep(1000);
    return answer(request, "");
  });
  const std::string command = " ch data jsc --data-dir d --download --url " + server.url("/jets.z");
  const transcript::Outcome terminated = run("timeout --preserve-status -s TERM 0.3" + command);
  EXPECT_EQ(terminated.exit_code, 143) << terminated.output;
  EXPECT_THAT(terminated.output, HasSubstr("run the command again"));
  EXPECT_EQ(run("timeout --preserve-status -s INT 0.3" + command).exit_code, 130);
  over = true;
}

TEST_F(ProgramDownload, SaysWhyNothingCame) {
  const HttpServer server([](const Request&) {
    return std::string("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
  const transcript::Outcome missing =
      run("ch data jsc --data-dir d --download --url " + server.url("/no.z"));
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.output, HasSubstr("404"));
  EXPECT_EQ(run("ch data jsc --data-dir d --url " + server.url("/no.z")).exit_code, 2);
  EXPECT_EQ(run("ch data jsc --data-dir d --download --url ftp://127.0.0.1/x").exit_code, 2);
}

}  // namespace
