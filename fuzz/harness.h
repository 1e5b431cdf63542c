#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "mase/support/error.h"

// What the fuzz targets share. A target is one function fuzz(bytes); a broken property aborts, so
// that libFuzzer keeps the input.
namespace mase::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %s\n", what);
  std::abort();
}

inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The input as a file, for readers that take only paths. It lives in memory.
class InputFile {
 public:
  explicit InputFile(std::span<const std::byte> bytes) : descriptor_(memfd()) {
    require(::ftruncate(descriptor_, 0) == 0, "the memory file can be emptied");
    require(
        ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
        "the memory file can be written");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  static int memfd() {
    static const int descriptor = ::memfd_create("fuzz_input", 0);
    return descriptor;
  }

  int descriptor_;
  std::filesystem::path path_;
};

// Runs what reports by exceptions: whatever the input, they are the user's or the file's mistakes,
// never failures of the program. Tells whether it went through.
template <typename Work>
bool passes(Work&& work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    const bool expected = error.kind() == ErrorKind::Usage ||
                          error.kind() == ErrorKind::Unreadable ||
                          error.kind() == ErrorKind::Unsupported;
    if (!expected) std::fprintf(stderr, "%s\n", error.what());
    require(expected, "a mistake in the input is the user's");
    require(!error.message().empty(), "an error says what is wrong");
    return false;
  }
}

// A folder of this process for readers that look for files by name, in memory where the system has
// such a place.
class Folder {
 public:
  explicit Folder(const std::string& name) {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code code;
    const bool there = std::filesystem::is_directory(memory, code);
    path_ = (there ? memory : std::filesystem::temp_directory_path()) /
            ("mase_fuzz_" + name + "_" + std::to_string(::getpid()));
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code code;
    std::filesystem::remove_all(path_, code);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // The input as a file in it.
  std::filesystem::path write(const std::filesystem::path& name,
                              std::span<const std::byte> bytes) const {
    const std::filesystem::path path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text_of(bytes);
    return path;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace mase::fuzz

void fuzz(std::span<const std::byte> bytes);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
