#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mase/data/dataset.h"

// Fetching data sets over HTTP.
namespace mase::data {

struct DownloadProgress {
  std::string_view file;                             // name of the file under way
  std::int64_t done = 0;                             // bytes, those of an earlier try included
  std::optional<std::int64_t> total = std::nullopt;  // if the server says
};

struct DownloadCallbacks {
  std::function<void(const DownloadProgress&)> progress = nullptr;  // several times a second
  std::function<void(std::string_view)> info = nullptr;             // log lines for the user
};

// What ends a download that would not end by itself.
struct DownloadLimits {
  long connect_seconds = 30;
  long bytes_per_second = 1000;  // fewer for `silent_seconds`: the server has fallen silent
  long silent_seconds = 60;
  std::int64_t bytes = std::int64_t{1} << 32;  // the longest file
};

struct DownloadOptions {
  std::string_view sha256 = "";                                 // "" = not known
  bool (*looks_right)(const std::filesystem::path&) = nullptr;  // else: whether it is the file
  DownloadLimits limits = {};
};

// Fetches one file. It grows under `destination` + ".part" and gets its name when it is complete
// and right. Complete is what has the length that the server states; where it states none, what has
// the known SHA-256. What an earlier, broken-off try left is taken up where it ended, provided the
// server says that its file is still the same. Stops at the next piece when a stop signal has
// arrived. Throws Error{RunFailed} (no connection, refused by the server, disk full, wrong content,
// a limit), Error{Interrupted}, Error{Usage} for an address that is not HTTP.
void download_file(const std::string& url, const std::filesystem::path& destination,
                   const DownloadOptions& options = {}, const DownloadCallbacks& callbacks = {});

// Fetches the files of a data set into <folder>/<name of the set>, where open() finds them when
// `folder` is a data folder (lookup.h); empty: the first of MASE_DATA_DIR and the cache folder.
// `url` replaces the set's own address: of the file, or of the folder that holds the files. Files
// that are there already are kept, unless they are damaged. Returns the paths. Throws as above, and
// Error{Usage} for a data set with nothing to download.
std::vector<std::filesystem::path> download(const DataSetRow& row, std::string_view url = "",
                                            const std::filesystem::path& folder = {},
                                            const DownloadCallbacks& callbacks = {});

}  // namespace mase::data
