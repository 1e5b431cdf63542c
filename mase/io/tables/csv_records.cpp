// Text in blocks, cut at line ends. zlib reads plain files as they are.
#include "mase/io/tables/csv_records.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mase::io {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 17;

// A regular file, or -1: waiting for what a pipe will send could take for ever.
int open_regular(const std::filesystem::path& path, std::string& error) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info = {};
  if (descriptor < 0 || ::fstat(descriptor, &info) != 0) {
    error = std::strerror(errno);
  } else if (!S_ISREG(info.st_mode)) {
    error = "it is not a regular file";
  } else {
    return descriptor;
  }
  if (descriptor >= 0) ::close(descriptor);
  return -1;
}

}  // namespace

void CsvRecords::Close::operator()(gzFile_s* file) const {
  gzclose(file);
}

CsvRecords::CsvRecords(const std::filesystem::path& path) {
  const int descriptor = open_regular(path, error_);
  if (descriptor < 0) return;
  file_.reset(gzdopen(descriptor, "rb"));
  if (file_) {
    gzbuffer(file_.get(), kBlock / 4);  // of at least four of these zlib reads plain files directly
  } else {
    ::close(descriptor);
    error_ = "out of memory";
  }
}

bool CsvRecords::next(std::string_view& record) {
  for (;;) {
    const std::size_t end = find_end();
    if (end != std::string::npos) {
      record = std::string_view(buffer_).substr(begin_, end - begin_);
      if (record.size() > limit_)
        return fail(fmt::format("a line is longer than {} bytes", limit_));
      line_ = next_line_;
      next_line_ += 1 + std::count(record.begin(), record.end(), '\n');
      begin_ = scanned_ = std::min(end + 1, buffer_.size());
      if (record.ends_with('\r')) record.remove_suffix(1);
      return true;
    }
    if (!error_.empty() || !fill()) return false;
  }
}

std::size_t CsvRecords::find_end() {
  for (; scanned_ < buffer_.size(); ++scanned_) {
    const char c = buffer_[scanned_];
    if (c == '"') quoted_ = !quoted_;  // a doubled quote toggles twice
    if (c == '\n' && !quoted_) return scanned_;
  }
  if (!at_end_ || begin_ == buffer_.size()) return std::string::npos;
  if (quoted_) {
    fail("a quoted field is not closed");
    return std::string::npos;
  }
  return buffer_.size();
}

bool CsvRecords::fill() {
  if (at_end_ || !file_) return false;
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  if (buffer_.size() > limit_) return fail(fmt::format("a line is longer than {} bytes", limit_));
  const std::size_t kept = buffer_.size();
  buffer_.resize(kept + kBlock);
  const int got = gzread(file_.get(), buffer_.data() + kept, static_cast<unsigned>(kBlock));
  buffer_.resize(kept + static_cast<std::size_t>(std::max(got, 0)));
  int code = Z_OK;
  const char* message = gzerror(file_.get(), &code);
  if (code == Z_BUF_ERROR) return fail("its gzip data is cut off");
  if (code == Z_ERRNO) return fail(std::strerror(errno));
  if (got < 0 || code != Z_OK) return fail(fmt::format("damaged gzip data: {}", message));
  at_end_ = static_cast<std::size_t>(got) < kBlock;
  return true;
}

bool CsvRecords::fail(std::string why) {
  error_ = std::move(why);
  line_ = next_line_;
  return false;
}

}  // namespace mase::io
