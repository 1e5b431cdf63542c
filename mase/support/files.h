#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "mase/support/result.h"

namespace mase {

// A file that appears whole or not at all: written under a temporary name beside its destination,
// flushed to the disk, then renamed. Dropped without commit(), it leaves nothing behind and the
// previous file as it was. What a killed process left is removed with the next write to the folder.
// Links stay links; what is no file (a pipe, /dev/stdout) is written to as it is. Failures throw
// Error{RunFailed} that say what happened ("no space left on the disk").
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);  // creates missing parent folders
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void commit();

 private:
  [[noreturn]] void fail(const char* doing);
  void flush_buffer();
  void discard();

  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty: written in place
  int descriptor_ = -1;
  std::string buffer_;
};

void write_file(const std::filesystem::path& path, std::string_view text);  // atomically

// Removes what killed writers left in this folder and below it. Files that are being written by
// living processes, of whatever host, stay.
void remove_leftovers(const std::filesystem::path& folder);

// What an errno means, in words for users.
std::string system_reason(int code);

// An open file of the system, closed with the object.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;

  int get() const { return number_; }  // -1 = none
  int release();                       // the caller closes it

 private:
  int number_ = -1;
};

// Opens a file to be read, for every reader: only regular files. A pipe or a device could make its
// reader wait for ever or never end; it is a ReadError that says which it is.
Result<Descriptor> open_input(const std::filesystem::path& path);

// The whole file; at most `limit` bytes (a ReadError above).
Result<std::string> read_file(const std::filesystem::path& path,
                              std::size_t limit = std::size_t{1} << 28);

// The bytes of a whole file in memory of our own, which live as long as any copy of `owner`. Not a
// mapping: whoever cuts a mapped file off ends its readers with SIGBUS. A file larger than the
// machine's memory is a ReadError.
struct FileBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};
Result<FileBytes> load_file(const std::filesystem::path& path);

// Creates a folder and its parents. Throws Error{RunFailed} naming the folder and the reason.
void create_folder(const std::filesystem::path& path);

}  // namespace mase
