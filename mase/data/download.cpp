// Downloads: what is asked for, whether what came is the file, and where it goes.
//
// The rule of ends: a body whose length the server states (Content-Length, chunks, the frames of
// HTTP/2) ends there, or is an error that can be gone on with. One without is taken only where its
// SHA-256 is known, since a broken connection looks like its end.
#include "mase/data/download.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <system_error>

#include "mase/data/lookup.h"
#include "mase/data/part_file.h"
#include "mase/data/transfer.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/support/sha256.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAnotherSource = "name another source with --url";

Fetched fetch(const std::string& url, PartFile& part, std::string_view name,
              const DownloadOptions& options, const DownloadCallbacks& callbacks) {
  const bool known = part.note().url == url && !part.note().validator.empty();
  if (part.size() > 0 && !known) part.restart({});
  if (part.size() > 0 && callbacks.info) {
    callbacks.info(fmt::format("{}: going on after {} bytes", name, part.size()));
  }
  Fetched fetched = transfer(url, part, name, options.limits, callbacks);
  if (fetched == Fetched::OtherVersion) {
    if (callbacks.info) callbacks.info(fmt::format("{} has changed: from the start", name));
    part.restart({});
    fetched = transfer(url, part, name, options.limits, callbacks);
  }
  return fetched;
}

// Why the content is not that of the file; empty if nothing speaks against it.
std::string problem_of(const fs::path& path, std::string_view name, std::string_view sha256,
                       bool (*looks_right)(const fs::path&)) {
  if (!sha256.empty()) {
    const std::string found = sha256_file(path).or_throw();
    if (found != sha256) {
      return fmt::format("is not the expected file: its SHA-256 is {}, not {}", found, sha256);
    }
  }
  if (looks_right && !looks_right(path)) return fmt::format("is not {}, or not all of it", name);
  return {};
}

void check_content(const PartFile& part, Fetched fetched, const std::string& url,
                   std::string_view name, const DownloadOptions& options) {
  const std::string problem = problem_of(part.path(), name, options.sha256, options.looks_right);
  if (!problem.empty()) {
    throw Error(ErrorKind::RunFailed, "what the server sent " + problem, {.file = url},
                options.sha256.empty() ? "it may be an error page; name another source with --url"
                                       : kAnotherSource);
  }
  if (fetched == Fetched::PerhapsWhole && options.sha256.empty()) {
    throw Error(ErrorKind::RunFailed,
                fmt::format("the server does not say how long the file is: whether the {} bytes "
                            "that came are all of it cannot be told",
                            part.size()),
                {.file = url}, kAnotherSource);
  }
}

// A file that is there and is no other than it should be. A damaged one is fetched again.
bool is_there(const fs::path& path, const RemoteFile& file, const DownloadCallbacks& callbacks) {
  std::error_code code;
  if (!fs::exists(path, code)) return false;
  const std::string problem = problem_of(path, file.name, file.sha256, file.looks_right);
  if (callbacks.info) {
    callbacks.info(problem.empty()
                       ? fmt::format("{} is there already", path.string())
                       : fmt::format("{} {}: it is fetched anew", path.string(), problem));
  }
  return problem.empty();
}

}  // namespace

void download_file(const std::string& url, const fs::path& destination,
                   const DownloadOptions& options, const DownloadCallbacks& callbacks) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) internal_error("libcurl does not start");
  create_folder(destination.parent_path());
  const std::string name = destination.filename().string();
  PartFile part(destination);
  const Fetched fetched = fetch(url, part, name, options, callbacks);
  part.flush();
  try {
    check_content(part, fetched, url, name, options);
  } catch (const Error&) {
    part.remove();
    throw;
  }
  part.finish();
}

std::vector<fs::path> download(const DataSetRow& row, std::string_view url, const fs::path& folder,
                               const DownloadCallbacks& callbacks) {
  if (row.files.empty()) {
    usage_error(fmt::format("{} is made by this program: there is nothing to download", row.name));
  }
  const auto folders = data_folders({.data_dir = folder});
  if (folders.empty()) {
    usage_error("no folder for the data is known", {}, "name one with --data-dir");
  }
  std::string base(url.empty() ? row.download_url : url);
  if (row.files.size() > 1 && !base.ends_with('/')) base += '/';
  std::vector<fs::path> paths;
  for (const RemoteFile& file : row.files) {
    const fs::path path = folders.front() / row.name / file.name;
    paths.push_back(path);
    if (is_there(path, file, callbacks)) continue;
    download_file(base.ends_with('/') ? base + std::string(file.name) : base, path,
                  {.sha256 = file.sha256, .looks_right = file.looks_right}, callbacks);
  }
  return paths;
}

}  // namespace mase::data
