#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

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

}  // namespace mase::fuzz

void fuzz(std::span<const std::byte> bytes);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
