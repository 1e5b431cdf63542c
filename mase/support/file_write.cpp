// Files that are written whole or not at all, and what killed writers leave behind.
//
// A writer holds a lock (flock) on its temporary file from its birth until it has its name. So
// whoever gets the lock of such a file knows that its writer is gone, on whatever host it was.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <mutex>
#include <random>
#include <set>
#include <system_error>

#include "mase/support/files.h"

namespace mase {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferSize = std::size_t{1} << 18;
constexpr std::string_view kTemporaryPrefix = ".mase-";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::size_t kRandomDigits = 16;
// Where the file system has no locks: no write takes this long.
constexpr std::time_t kAbandonedAfter = 24 * 60 * 60;

// Short, whatever the name of the file, and never the same in two containers or hosts.
std::string temporary_name() {
  std::random_device source;
  const std::uint64_t random = std::uint64_t{source()} << 32 | source();
  return fmt::format("{}{:0{}x}{}", kTemporaryPrefix, random, kRandomDigits, kTemporarySuffix);
}

bool is_temporary(std::string_view name) {
  const std::size_t size = kTemporaryPrefix.size() + kRandomDigits + kTemporarySuffix.size();
  if (name.size() != size || !name.starts_with(kTemporaryPrefix)) return false;
  if (!name.ends_with(kTemporarySuffix)) return false;
  const std::string_view digits = name.substr(kTemporaryPrefix.size(), kRandomDigits);
  return digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void remove_if_abandoned(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return;
  struct stat info = {};
  if (::fstat(file, &info) == 0 && S_ISREG(info.st_mode)) {
    const bool locked = ::flock(file, LOCK_EX | LOCK_NB) == 0;
    const bool without_locks = !locked && errno != EWOULDBLOCK;
    const bool old = std::time(nullptr) - info.st_mtime > kAbandonedAfter;
    if (locked || (without_locks && old)) ::unlink(path.c_str());
  }
  ::close(file);
}

void remove_leftovers_in(const fs::path& folder) {
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (is_temporary(it->path().filename().native())) remove_if_abandoned(it->path());
  }
}

// The first write of this process to a folder clears it.
void remove_leftovers_once(const fs::path& folder) {
  static std::mutex mutex;
  static std::set<std::string> seen;
  {
    const std::lock_guard lock(mutex);
    if (!seen.insert(folder.string()).second) return;
  }
  remove_leftovers_in(folder);
}

// Makes and locks a new temporary file; -1 and errno if that fails.
int open_temporary(const fs::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) return -1;
  while (::flock(file, LOCK_EX) != 0 && errno == EINTR) {
  }
  // Between the two calls somebody may have taken it for a leftover.
  struct stat info = {};
  if (::fstat(file, &info) == 0 && info.st_nlink > 0) return file;
  ::close(file);
  errno = EEXIST;
  return -1;
}

// Where the bytes go: a link stays one, what it points to is replaced.
fs::path resolved(const fs::path& path) {
  std::error_code code;
  if (!fs::is_symlink(path, code)) return path;
  const fs::path target = fs::weakly_canonical(path, code);
  return code ? path : target;
}

// A link to a folder that is not there yet stands for it: the folder is made, the link stays.
void create_targets_of_links(const fs::path& path) {
  std::error_code code;
  fs::path so_far;
  for (const fs::path& part : path) {
    so_far /= part;
    if (!fs::is_symlink(so_far, code) || fs::exists(so_far, code)) continue;
    const fs::path target = fs::read_symlink(so_far, code);
    if (!code) fs::create_directories(so_far.parent_path() / target, code);
  }
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(resolved(path)) {
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  if (path_.has_parent_path()) create_folder(folder);
  struct stat info = {};
  const bool there = ::stat(path_.c_str(), &info) == 0;
  if (there && S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    fail("create");
  }
  if (there && !S_ISREG(info.st_mode)) {  // /dev/stdout, a pipe: no file that could be replaced
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail("open");
    return;
  }
  remove_leftovers_once(folder);
  do {
    temporary_ = folder / temporary_name();
    descriptor_ = open_temporary(temporary_);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail("create");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) discard();
}

void AtomicFile::discard() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  ::close(descriptor_);
  descriptor_ = -1;
}

void AtomicFile::fail(const char* doing) {
  const int code = errno;
  if (descriptor_ >= 0) discard();
  std::error_code ignored;
  const bool kept = fs::is_regular_file(path_, ignored);
  throw Error(ErrorKind::RunFailed,
              fmt::format("cannot {} the file: {}", doing, system_reason(code)),
              {.file = path_.string()}, kept ? "the previous file is unchanged" : "");
}

void AtomicFile::flush_buffer() {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write");
    done += static_cast<std::size_t>(n);
  }
  buffer_.clear();
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void AtomicFile::write(std::string_view text) {
  buffer_.append(text);
  if (buffer_.size() >= kBufferSize) flush_buffer();
}

void AtomicFile::commit() {
  flush_buffer();
  if (!temporary_.empty()) {
    if (::fsync(descriptor_) != 0) fail("flush");
    // Renamed while it is locked: see above. fsync has reported what close could.
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename");
  }
  ::close(descriptor_);
  descriptor_ = -1;
  if (temporary_.empty()) return;
  // The rename itself survives a power cut only once the folder is on the disk.
  const int folder = ::open(temporary_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

void write_file(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void remove_leftovers(const fs::path& folder) {
  std::error_code code;
  constexpr auto kOptions = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator it(folder, kOptions, code), end; !code && it != end;
       it.increment(code)) {
    if (is_temporary(it->path().filename().native())) remove_if_abandoned(it->path());
  }
}

void create_folder(const fs::path& path) {
  create_targets_of_links(path);
  std::error_code code;
  fs::create_directories(path, code);
  if (code) {
    throw Error(ErrorKind::RunFailed,
                fmt::format("cannot create the folder: {}", system_reason(code.value())),
                {.file = path.string()});
  }
}

}  // namespace mase
