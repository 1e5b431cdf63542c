#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "mase/data/prepare.h"

// Prepared tables kept between runs in the user's cache folder. Everything here may fail without
// harm: a damaged or missing entry is made anew, a folder that cannot be written is told once and
// then left alone. Several processes may use one folder: entries appear whole or not at all.
namespace mase::data {

// Whether this was called with this name before, by any process that uses this cache folder: for
// explanations that are given in full once. "No" where that cannot be remembered.
bool told_before(const std::filesystem::path& folder, std::string_view what);

class PreparedCache {
 public:
  // An empty folder keeps nothing. `log` gets the lines for the user.
  PreparedCache(std::filesystem::path folder, LogSink log);

  // SHA-256 of a file. Taken from the last time if the file's size, inode and times are those of
  // then, so that a large file need not be read. Throws Error{Unreadable} if it cannot be read.
  std::string hash_of(const std::filesystem::path& file) const;

  // The prepared rows of the source with this hash, read into memory and checked there against
  // their checksum.
  std::optional<Prepared> load(std::string_view data_set, const std::string& hash) const;
  void store(std::string_view data_set, const std::string& hash, const Prepared& rows) const;

 private:
  std::filesystem::path entry(std::string_view data_set, const std::string& hash) const;
  void write_or_tell(const std::function<void()>& write) const;

  std::filesystem::path folder_;
  LogSink log_;
};

}  // namespace mase::data
