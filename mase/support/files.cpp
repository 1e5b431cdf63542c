// Files that are read bounded, or mapped.
#include "mase/support/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace mase {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

ReadError read_error(const std::filesystem::path& path, int code) {
  return {
      code == ENOENT ? "file not found" : fmt::format("cannot be read: {}", system_reason(code)),
      {.file = path.string()}};
}

}  // namespace

std::string system_reason(int code) {
  if (code == ENOSPC || code == EDQUOT) return "no space left on the disk";
  if (code == EROFS) return "the file system is read-only";
  if (code == EACCES || code == EPERM) return "permission denied";
  if (code == EFBIG) return "the file would exceed the allowed size";
  return std::generic_category().message(code);
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return read_error(path, errno);
  std::string out;
  char chunk[1 << 16];
  for (;;) {
    const ssize_t n = ::read(file.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return read_error(path, errno);
    if (n == 0) return out;
    if (out.size() + static_cast<std::size_t>(n) > limit) {
      return ReadError{fmt::format("larger than {} bytes", limit), {.file = path.string()}};
    }
    out.append(chunk, static_cast<std::size_t>(n));
  }
}

Result<MappedFile> map_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return read_error(path, errno);
  struct stat info = {};
  if (::fstat(file.get(), &info) != 0) return read_error(path, errno);
  if (!S_ISREG(info.st_mode)) return ReadError{"not a regular file", {.file = path.string()}};
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return MappedFile{};
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) return read_error(path, errno);
  std::shared_ptr<const void> owner(
      address, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
  return MappedFile{{static_cast<const std::byte*>(address), size}, std::move(owner)};
}

}  // namespace mase
