// Lock files by the locks of open file descriptions (F_OFD_SETLK): they hold between threads as
// between processes, span one byte each, and NFS passes them on to other hosts.
#include "mase/support/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "mase/support/error.h"
#include "mase/support/files.h"

namespace mase {
namespace {

constexpr std::size_t kSignatureSize = 200;

struct flock range(short type, std::int64_t first, std::int64_t count) {
  struct flock out = {};
  out.l_type = type;
  out.l_whence = SEEK_SET;
  out.l_start = first;
  out.l_len = count;
  return out;
}

}  // namespace

LockFile::LockFile(std::filesystem::path path) : path_(std::move(path)) {
  if (path_.has_parent_path()) create_folder(path_.parent_path());
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (descriptor_ >= 0) return;
  throw Error(ErrorKind::RunFailed,
              fmt::format("the lock file cannot be opened: {}", system_reason(errno)),
              {.file = path_.string()});
}

LockFile::~LockFile() {
  ::close(descriptor_);
}

LockFile::Taken LockFile::try_lock(std::int64_t byte) {
  struct flock lock = range(F_WRLCK, byte, 1);
  if (::fcntl(descriptor_, F_OFD_SETLK, &lock) == 0) return Taken::Yes;
  return errno == EAGAIN || errno == EACCES ? Taken::Busy : Taken::Unsupported;
}

void LockFile::unlock(std::int64_t byte) {
  struct flock lock = range(F_UNLCK, byte, 1);
  ::fcntl(descriptor_, F_OFD_SETLK, &lock);
}

bool LockFile::others_from(std::int64_t first) const {
  struct flock lock = range(F_WRLCK, first, 0);  // length 0: to the end
  return ::fcntl(descriptor_, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool LockFile::removed() const {
  struct stat held = {};
  struct stat named = {};
  if (::fstat(descriptor_, &held) != 0 || ::stat(path_.c_str(), &named) != 0) return true;
  return held.st_ino != named.st_ino || held.st_dev != named.st_dev;
}

void LockFile::sign(const std::string& who) {
  // Only a text for messages: a disk that has no room for it does not matter.
  const std::string line = who.substr(0, kSignatureSize - 1) + "\n";
  if (::ftruncate(descriptor_, 0) != 0) return;
  static_cast<void>(::pwrite(descriptor_, line.data(), line.size(), 0) < 0);
}

std::string LockFile::signature() const {
  std::string text(kSignatureSize, '\0');
  const ssize_t n = ::pread(descriptor_, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  text.resize(std::min(text.size(), text.find('\n')));
  const auto unprintable = [](char c) { return c < ' ' || c > '~'; };
  std::replace_if(text.begin(), text.end(), unprintable, '?');
  return text;
}

std::string this_process() {
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return fmt::format("process {} on {}", ::getpid(), host[0] ? host : "this host");
}

}  // namespace mase
