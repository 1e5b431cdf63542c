// The growing file of a download: its lock, its note, its end.
#include "mase/data/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sstream>

#include "mase/support/error.h"
#include "mase/support/files.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestNote = 1 << 16;

fs::path with_suffix(fs::path path, const char* suffix) {
  return path += suffix;
}

}  // namespace

PartFile::PartFile(const fs::path& destination)
    : destination_(destination),
      path_(with_suffix(destination, ".part")),
      note_path_(with_suffix(destination, ".part.note")) {
  while (!open()) {
  }
  size_ = std::max<std::int64_t>(0, ::lseek(descriptor_, 0, SEEK_END));
  read_note();
}

PartFile::~PartFile() {
  ::close(descriptor_);
}

// False if the file that was opened has got its final name meanwhile: it is another's then.
bool PartFile::open() {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno);
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor_);
    throw Error(ErrorKind::RunFailed, "another download of this file is under way",
                {.file = path_.string()});
  }
  struct stat held = {};
  struct stat named = {};
  if (::fstat(descriptor_, &held) != 0) fail(errno);
  if (!S_ISREG(held.st_mode)) fail(EINVAL);
  const bool same = ::stat(path_.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
                    held.st_dev == named.st_dev;
  if (!same) ::close(descriptor_);
  return same;
}

void PartFile::read_note() {
  const auto text = read_file(note_path_, kLongestNote);
  if (!text) return;
  std::istringstream in(*text);
  std::string length;
  std::getline(in, note_.url);
  std::getline(in, note_.validator);
  std::getline(in, length);
  std::from_chars(length.data(), length.data() + length.size(), note_.length);
}

void PartFile::restart(Note note) {
  if (::ftruncate(descriptor_, 0) != 0) fail(errno);
  ::lseek(descriptor_, 0, SEEK_SET);
  size_ = 0;
  note_ = std::move(note);
  write_file(note_path_, fmt::format("{}\n{}\n{}\n", note_.url, note_.validator, note_.length));
}

int PartFile::append(const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t n = ::write(descriptor_, bytes, count);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes += n;
    count -= static_cast<std::size_t>(n);
    size_ += n;
  }
  return 0;
}

void PartFile::flush() {
  if (::fsync(descriptor_) != 0) fail(errno);
}

// Renamed while it is held: whoever waits for it sees that it is another's.
void PartFile::finish() {
  if (::rename(path_.c_str(), destination_.c_str()) != 0) {
    throw Error(ErrorKind::RunFailed,
                fmt::format("cannot rename the download: {}", system_reason(errno)),
                {.file = destination_.string()});
  }
  ::unlink(note_path_.c_str());
}

void PartFile::remove() {
  ::unlink(path_.c_str());
  ::unlink(note_path_.c_str());
}

void PartFile::fail(int code) const {
  throw Error(ErrorKind::RunFailed,
              fmt::format("cannot write the download: {}", system_reason(code)),
              {.file = path_.string()},
              size_ > 0 ? "run the command again: it goes on where it stopped" : "");
}

}  // namespace mase::data
