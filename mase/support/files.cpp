// Files that are read bounded, or whole.
#include "mase/support/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace mase {
namespace {

ReadError read_error(const std::filesystem::path& path, int code) {
  return {
      code == ENOENT ? "file not found" : fmt::format("cannot be read: {}", system_reason(code)),
      {.file = path.string()}};
}

// What an open file is that is no regular one.
std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "is a folder, not a file";
  if (S_ISFIFO(mode)) return "is a pipe, not a file: write what comes out of it to a file first";
  if (S_ISSOCK(mode)) return "is a socket, not a file";
  return "is a device, not a file";
}

std::size_t machine_memory() {
  return static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// Null where there is not so much. Of large pages, where the system has them: touching each small
// one of a large file for the first time takes longer than reading it.
std::shared_ptr<std::byte> allocate(std::size_t size) {
  constexpr std::size_t kLargePage = std::size_t{1} << 21;
  const std::size_t whole = (size + kLargePage - 1) / kLargePage * kLargePage;
  const bool large = size >= kLargePage;
  void* memory =
      large ? std::aligned_alloc(kLargePage, whole) : std::malloc(std::max(size, std::size_t{1}));
  if (memory && large) ::madvise(memory, whole, MADV_HUGEPAGE);
  return {static_cast<std::byte*>(memory), std::free};
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this == &other) return *this;
  if (number_ >= 0) ::close(number_);
  number_ = other.release();
  return *this;
}

int Descriptor::release() {
  return std::exchange(number_, -1);
}

Result<Descriptor> open_input(const std::filesystem::path& path) {
  // Without O_NONBLOCK a pipe that nobody writes to would be waited for here already.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return read_error(path, errno);
  struct stat info = {};
  if (::fstat(file.get(), &info) != 0) return read_error(path, errno);
  if (!S_ISREG(info.st_mode)) {
    return ReadError{std::string(kind_of(info.st_mode)), {.file = path.string()}};
  }
  return file;
}

std::string system_reason(int code) {
  if (code == ENOSPC || code == EDQUOT) return "no space left on the disk";
  if (code == EROFS) return "the file system is read-only";
  if (code == EACCES || code == EPERM) return "permission denied";
  if (code == EFBIG) return "the file would exceed the allowed size";
  return std::generic_category().message(code);
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const auto file = open_input(path);
  if (!file) return file.error();
  std::string out;
  char chunk[1 << 16];
  for (;;) {
    const ssize_t n = ::read(file->get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return read_error(path, errno);
    if (n == 0) return out;
    if (out.size() + static_cast<std::size_t>(n) > limit) {
      return ReadError{fmt::format("larger than {} bytes", limit), {.file = path.string()}};
    }
    out.append(chunk, static_cast<std::size_t>(n));
  }
}

Result<FileBytes> load_file(const std::filesystem::path& path) {
  const auto file = open_input(path);
  if (!file) return file.error();
  struct stat info = {};
  if (::fstat(file->get(), &info) != 0) return read_error(path, errno);
  const auto size = static_cast<std::size_t>(info.st_size);
  const std::shared_ptr<std::byte> memory = size <= machine_memory() ? allocate(size) : nullptr;
  if (!memory) {
    return ReadError{fmt::format("its {} bytes do not fit into the memory", size),
                     {.file = path.string()}};
  }
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(file->get(), memory.get() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return read_error(path, errno);
    if (n == 0) break;  // cut off meanwhile: the reader of its format says what is missing
    done += static_cast<std::size_t>(n);
  }
  return FileBytes{{memory.get(), done}, memory};
}

}  // namespace mase
