#include "mase/data/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>

#include "mase/data/lookup.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/support/sha256.h"
#include "mase/support/signals.h"
#include "tests/data/http_server.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// Answers with `content`, or the part of it asked for if `etag` is that of the request.
std::string serve_ranges(const Request& request, const std::string& content,
                         const std::string& etag) {
  const std::size_t first = request.range_first();
  if (first == 0 || request.header("If-Range") != etag) {
    return fmt::format("HTTP/1.1 200 OK\r\nETag: {}\r\nContent-Length: {}\r\n\r\n{}", etag,
                       content.size(), content);
  }
  if (first >= content.size()) {
    return fmt::format("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{}\r\n\r\n",
                       content.size());
  }
  return fmt::format(
      "HTTP/1.1 206 Partial Content\r\nETag: {}\r\nContent-Range: bytes {}-{}/{}\r\n"
      "Content-Length: {}\r\n\r\n{}",
      etag, first, content.size() - 1, content.size(), content.size() - first,
      content.substr(first));
}

class Download : public testing::Test {
 protected:
  Download()
      : folder_(fs::path(testing::TempDir()) /
                (std::string("download_test_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())),
        target_(folder_ / "file.bin") {
    fs::remove_all(folder_);
    for (int i = 0; i < 100000; ++i) content_ += std::to_string(i);
  }
  ~Download() override { fs::remove_all(folder_); }

  Error error_of(const std::string& url, std::string_view hash = "",
                 const DownloadLimits& limits = {}) {
    try {
      download_file(url, target_, {.sha256 = hash, .limits = limits});
    } catch (const Error& error) {
      EXPECT_FALSE(fs::exists(target_));
      return error;
    }
    ADD_FAILURE() << "no error";
    return {ErrorKind::Internal, ""};
  }
  std::string downloaded() const { return read_file(target_).or_throw(); }
  std::string hash() const { return sha256(std::as_bytes(std::span(content_))); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_))
      names.push_back(entry.path().filename());
    return names;
  }

  fs::path folder_;
  fs::path target_;
  std::string content_;
};

TEST_F(Download, FetchesAFileAndTellsHowFarItIs) {
  const HttpServer server(
      [&](const Request& request) { return serve_ranges(request, content_, "\"1\""); });
  DownloadProgress last;
  download_file(server.url("/file.bin"), target_, {.sha256 = hash()},
                {.progress = [&](const DownloadProgress& state) {
                  EXPECT_GE(state.done, last.done);
                  last = state;
                  EXPECT_EQ(state.file, "file.bin");
                }});
  EXPECT_TRUE(downloaded() == content_);
  EXPECT_THAT(files(), ElementsAre("file.bin"));
  EXPECT_EQ(last.done, static_cast<std::int64_t>(content_.size()));
  EXPECT_EQ(last.total, static_cast<std::int64_t>(content_.size()));
}

TEST_F(Download, GoesOnWhereItBrokeOff) {
  bool broken = true;
  const HttpServer server([&](const Request& request) {
    std::string answer = serve_ranges(request, content_, "\"1\"");
    return broken ? answer.substr(0, answer.size() / 2) : answer;
  });
  const Error error = error_of(server.url("/file"), hash());
  EXPECT_EQ(error.kind(), ErrorKind::RunFailed);
  EXPECT_THAT(error.message(), HasSubstr("the connection broke after"));
  EXPECT_THAT(error.hint(), HasSubstr("goes on where it stopped"));
  broken = false;
  std::vector<std::string> log;
  download_file(server.url("/file"), target_, {.sha256 = hash()},
                {.info = [&](std::string_view line) { log.emplace_back(line); }});
  EXPECT_TRUE(downloaded() == content_);
  EXPECT_THAT(log, ElementsAre(HasSubstr("going on after")));
  EXPECT_GT(server.requests().back().range_first(), 100000u);
  EXPECT_THAT(files(), ElementsAre("file.bin"));
}

TEST_F(Download, StartsOverWhenTheServersFileHasChanged) {
  std::string etag = "\"1\"";
  bool broken = true;
  const HttpServer server([&](const Request& request) {
    std::string answer = serve_ranges(request, content_, etag);
    return broken ? answer.substr(0, answer.size() / 2) : answer;
  });
  error_of(server.url("/file"));
  broken = false;
  etag = "\"2\"";
  std::reverse(content_.begin(), content_.end());
  download_file(server.url("/file"), target_, {.sha256 = hash()});
  EXPECT_TRUE(downloaded() == content_);
}

TEST_F(Download, StartsOverForAnotherAddressOrWithoutAValidator) {
  bool broken = true;
  std::string etag = "W/\"weak\"";
  const HttpServer server([&](const Request& request) {
    std::string answer = serve_ranges(request, content_, etag);
    return broken ? answer.substr(0, answer.size() / 2) : answer;
  });
  error_of(server.url("/file"));
  error_of(server.url("/file"));
  EXPECT_EQ(server.requests().back().header("Range"), "");
  etag = "\"1\"";
  error_of(server.url("/file"));
  error_of(server.url("/other"));
  EXPECT_EQ(server.requests().back().header("Range"), "");
  error_of(server.url("/other"));
  EXPECT_NE(server.requests().back().header("Range"), "");
}

TEST_F(Download, AServerWithoutRangesSendsItAllAgain) {
  bool broken = true;
  const HttpServer server([&](const Request&) {
    std::string answer = fmt::format(
        "HTTP/1.1 200 OK\r\nLast-Modified: Tue, 01 Jan 2019 00:00:00 GMT\r\nContent-Length: "
        "{}\r\n\r\n{}",
        content_.size(), content_);
    return broken ? answer.substr(0, answer.size() / 2) : answer;
  });
  error_of(server.url("/file"));
  broken = false;
  download_file(server.url("/file"), target_, {.sha256 = hash()});
  EXPECT_TRUE(downloaded() == content_);
}

TEST_F(Download, FinishesWhatLacksOnlyItsName) {
  const HttpServer server(
      [&](const Request& request) { return serve_ranges(request, content_, "\"1\""); });
  const std::string url = server.url("/file");
  write_file(target_.string() + ".part", content_);
  write_file(target_.string() + ".part.note", fmt::format("{}\n\"1\"\n{}\n", url, content_.size()));
  download_file(url, target_, {.sha256 = hash()});
  EXPECT_TRUE(downloaded() == content_);
  EXPECT_EQ(server.requests().size(), 1u);
  // More than the server has: from the start.
  fs::remove(target_);
  write_file(target_.string() + ".part", content_ + "x");
  write_file(target_.string() + ".part.note", url + "\n\"1\"\n");
  download_file(url, target_, {.sha256 = hash()});
  EXPECT_TRUE(downloaded() == content_);
}

TEST_F(Download, RefusesAPartItDidNotAskFor) {
  const HttpServer server([&](const Request&) {
    return "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/10\r\nContent-Length: "
           "5\r\n\r\nhello";
  });
  EXPECT_THAT(error_of(server.url("/file")).message(), HasSubstr("another part of the file"));
}

TEST_F(Download, FollowsRedirections) {
  const HttpServer server([&](const Request& request) {
    if (request.path == "/old") {
      return std::string("HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 4\r\n\r\nmove");
    }
    return serve_ranges(request, content_, "\"1\"");
  });
  download_file(server.url("/old"), target_, {.sha256 = hash()});
  EXPECT_TRUE(downloaded() == content_);
}

TEST_F(Download, SaysWhatTheServerAnswered) {
  const HttpServer server([&](const Request&) {
    return "HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\n<html>no</html";
  });
  const Error error = error_of(server.url("/file"));
  EXPECT_EQ(error.message(), "the server answered 404 Not Found");
  EXPECT_EQ(error.where().file, server.url("/file"));
  EXPECT_THAT(error.hint(), HasSubstr("--url"));
}

TEST_F(Download, SaysWhenThereIsNoConnection) {
  std::string url;
  {
    url = HttpServer([](const Request&) { return ""; }).url("/file");
  }
  EXPECT_THAT(error_of(url).message(), HasSubstr("cannot be fetched"));
  EXPECT_THAT(error_of("http://no-such-host.invalid/file").message(),
              HasSubstr("cannot be fetched"));
}

TEST_F(Download, RefusesOtherProtocols) {
  EXPECT_EQ(error_of("file:///etc/passwd").kind(), ErrorKind::Usage);
  EXPECT_EQ(error_of("not an address").kind(), ErrorKind::Usage);
  const HttpServer server([](const Request&) {
    return "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n";
  });
  error_of(server.url("/file"));
}

TEST_F(Download, RemovesAFileWithAnotherChecksum) {
  const HttpServer server(
      [&](const Request& request) { return serve_ranges(request, "abc", "\"1\""); });
  const Error error = error_of(server.url("/file"), hash());
  EXPECT_THAT(error.message(), HasSubstr("its SHA-256 is ba7816bf"));
  EXPECT_TRUE(files().empty());
}

TEST_F(Download, SaysThatTheDiskIsFull) {
  const HttpServer server(
      [&](const Request& request) { return serve_ranges(request, content_, "\"1\""); });
  // Beyond the limit of this process a write fails as on a full disk.
  struct rlimit old = {};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small = {100000, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const Error error = error_of(server.url("/file"));
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.kind(), ErrorKind::RunFailed);
  EXPECT_THAT(error.message(), HasSubstr("cannot write the download: "));
  download_file(server.url("/file"), target_, {.sha256 = hash()});  // there is room again
  EXPECT_GT(server.requests().back().range_first(), 0u);
  EXPECT_TRUE(downloaded() == content_);
}

TEST_F(Download, StopsOnASignalAndCanGoOn) {
  const HttpServer server(
      [&](const Request& request) { return serve_ranges(request, content_, "\"1\""); });
  {
    const StopSignals signals;
    try {
      download_file(server.url("/file"), target_, {.sha256 = hash()},
                    {.progress = [](const DownloadProgress&) { ::raise(SIGINT); }});
      ADD_FAILURE() << "not stopped";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Interrupted);
    }
  }
  EXPECT_FALSE(fs::exists(target_));
  const StopSignals forget;  // a new run
  download_file(server.url("/file"), target_, {.sha256 = hash()});
  EXPECT_TRUE(downloaded() == content_);
}

// Without a length the end of the body and a broken connection look the same.
TEST_F(Download, ABodyWithoutALengthNeedsAChecksum) {
  std::size_t sent = content_.size() / 3;
  const HttpServer server([&](const Request&) {
    return "HTTP/1.0 200 OK\r\nETag: \"1\"\r\n\r\n" + content_.substr(0, sent);
  });
  EXPECT_THAT(error_of(server.url("/file")).message(),
              HasSubstr("does not say how long the file is"));
  EXPECT_THAT(error_of(server.url("/file"), hash()).message(), HasSubstr("its SHA-256 is "));
  EXPECT_TRUE(files().empty());
  sent = content_.size();
  EXPECT_THAT(error_of(server.url("/file")).message(),
              HasSubstr("does not say how long the file is"));
  download_file(server.url("/file"), target_, {.sha256 = hash()});
  EXPECT_TRUE(downloaded() == content_);
}

TEST_F(Download, ChunksThatEndAreWhole) {
  std::string end = "0\r\n\r\n";
  const HttpServer server([&](const Request&) {
    return "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nTransfer-Encoding: chunked\r\n\r\n" +
           fmt::format("{:x}\r\n{}\r\n", content_.size(), content_) + end;
  });
  download_file(server.url("/file"), target_);
  EXPECT_TRUE(downloaded() == content_);
  fs::remove(target_);
  end = "";
  EXPECT_THAT(error_of(server.url("/file")).message(), HasSubstr("the connection broke after"));
}

// Servers that do not know If-Range send the rest of whatever they have now.
TEST_F(Download, TheRestOfAnotherVersionIsNotGluedOn) {
  for (const char* validator : {"ETag: \"2\"\r\n", "", "Last-Modified: yesterday\r\n"}) {
    bool broken = true;
    const std::string other(content_.size(), 'x');
    const HttpServer server([&](const Request& request) {
      if (broken) {
        return serve_ranges(request, content_, "\"1\"").substr(0, content_.size() / 2);
      }
      const std::size_t first = request.range_first();
      const std::string range =
          fmt::format("Content-Range: bytes {}-{}/{}\r\n", first, other.size() - 1, other.size());
      return fmt::format("HTTP/1.1 {}\r\n{}{}Content-Length: {}\r\n\r\n{}",
                         first > 0 ? "206 Partial Content" : "200 OK", validator,
                         first > 0 ? range : "", other.size() - first, other.substr(first));
    });
    error_of(server.url("/file"));
    broken = false;
    download_file(server.url("/file"), target_);
    EXPECT_TRUE(downloaded() == other) << validator;
    fs::remove(target_);
  }
}

TEST_F(Download, ARefusedRangeIsNotTheEnd) {
  for (const char* range : {"", "Content-Range: bytes */{}\r\n", "Content-Range: bytes */10\r\n"}) {
    bool broken = true;
    std::size_t half = 0;
    const HttpServer server([&](const Request& request) {
      if (broken) {
        return serve_ranges(request, content_, "\"1\"").substr(0, content_.size() / 2);
      }
      if (request.range_first() == 0) return serve_ranges(request, content_, "\"2\"");
      half = request.range_first();
      return "HTTP/1.1 416 Range Not Satisfiable\r\n" + fmt::format(fmt::runtime(range), half) +
             "Content-Length: 0\r\n\r\n";
    });
    error_of(server.url("/file"));
    broken = false;
    download_file(server.url("/file"), target_);
    EXPECT_TRUE(downloaded() == content_) << range;
    EXPECT_GT(half, 0u);
    fs::remove(target_);
  }
}

// A date of change that is as young as the answer does not tell versions apart.
TEST_F(Download, AYoungDateIsNoVersion) {
  const HttpServer server([&](const Request&) {
    return fmt::format(
               "HTTP/1.1 200 OK\r\nLast-Modified: Tue, 01 Jan 2019 00:00:00 GMT\r\n"
               "Date: Tue, 01 Jan 2019 00:00:01 GMT\r\nContent-Length: {}\r\n\r\n",
               content_.size()) +
           content_.substr(0, 1000);
  });
  error_of(server.url("/file"));
  error_of(server.url("/file"));
  EXPECT_EQ(server.requests().back().header("Range"), "");
}

TEST_F(Download, EndsAtItsLimits) {
  const HttpServer stated(
      [&](const Request& request) { return serve_ranges(request, content_, "\"1\""); });
  const HttpServer endless([&](const Request&) {
    std::string out = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 100; ++i) out += "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
    return out;
  });
  for (const HttpServer* server : {&stated, &endless}) {
    EXPECT_THAT(error_of(server->url("/file"), "", {.bytes = 10000}).message(),
                HasSubstr("longer than 10000 bytes"));
  }
  std::atomic<bool> over = false;
  const HttpServer silent([&](const Request& request) {
    if (request.path == "/slow") {
      while (!over) ::usleep(1000);
    }
    return std::string();
  });
  const Error error =
      error_of(silent.url("/slow"), "", {.bytes_per_second = 100, .silent_seconds = 1});
  over = true;
  EXPECT_THAT(error.message(), HasSubstr("fell silent after 0 bytes"));
}

TEST_F(Download, OneAtATime) {
  fs::path target = target_;
  const HttpServer server([&](const Request& request) {
    if (request.path == "/outer") {
      EXPECT_THAT(error_of("http://127.0.0.1:1/inner").message(), HasSubstr("under way"));
    }
    return serve_ranges(request, content_, "\"1\"");
  });
  download_file(server.url("/outer"), target, {.sha256 = hash()});
  EXPECT_TRUE(downloaded() == content_);
}

const RemoteFile kTwo[] = {{.name = "a.bin"}, {.name = "b.bin"}};
bool never(const fs::path&) {
  return false;
}
const RemoteFile kWrong[] = {{.name = "c.bin", .looks_right = never}};

TEST_F(Download, FetchesTheFilesOfADataSetToWhereTheyAreFound) {
  const HttpServer server(
      [&](const Request& request) { return serve_ranges(request, request.path, "\"1\""); });
  const DataSetRow row{.name = "two", .download_url = "http://127.0.0.1:1/", .files = kTwo};
  write_file(folder_ / "two" / "b.bin", "here already");
  const auto paths = download(row, server.url("/there"), folder_);
  EXPECT_THAT(paths, ElementsAre(folder_ / "two" / "a.bin", folder_ / "two" / "b.bin"));
  EXPECT_EQ(read_file(paths[0]).or_throw(), "/there/a.bin");
  EXPECT_EQ(read_file(paths[1]).or_throw(), "here already");
}

bool starts_well(const fs::path& path) {
  return read_file(path).or_throw().starts_with("good");
}
const RemoteFile kChecked[] = {
    {.name = "sum.bin",
     .sha256 = "770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c"},  // "good"
    {.name = "look.bin", .looks_right = starts_well}};

TEST_F(Download, ReplacesWhatIsDamaged) {
  const HttpServer server(
      [&](const Request& request) { return serve_ranges(request, "good", "\"1\""); });
  const DataSetRow row{.name = "checked", .download_url = "http://127.0.0.1:1/", .files = kChecked};
  write_file(folder_ / "checked" / "sum.bin", "goo");
  write_file(folder_ / "checked" / "look.bin", "<html>");
  std::vector<std::string> log;
  const auto paths = download(row, server.url("/there"), folder_,
                              {.info = [&](std::string_view line) { log.emplace_back(line); }});
  for (const fs::path& path : paths) EXPECT_EQ(read_file(path).or_throw(), "good");
  EXPECT_THAT(log, ElementsAre(HasSubstr("it is fetched anew"), HasSubstr("it is fetched anew")));
}

TEST_F(Download, RemovesWhatDoesNotLookRight) {
  const HttpServer server(
      [&](const Request& request) { return serve_ranges(request, "<html>", "\"1\""); });
  const std::string url = server.url("/page");
  const DataSetRow row{.name = "one", .download_url = url, .files = kWrong};
  try {
    download(row, "", folder_);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "what the server sent is not c.bin, or not all of it");
  }
  EXPECT_EQ(server.requests().back().path, "/page");
  EXPECT_TRUE(fs::is_empty(folder_ / "one"));
}

TEST_F(Download, SaysThatAGeneratedSetNeedsNone) {
  EXPECT_THROW(download(*find_data_set("toy_tiny")), Error);
}

}  // namespace
}  // namespace mase::data
