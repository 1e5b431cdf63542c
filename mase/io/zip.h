#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mase/io/bytes.h"

// Zip archives: the container of npz files, PyTorch checkpoints and `.mz` files. Members are stored
// or deflated; zip64 is read and, where sizes need it, written.
namespace mase::io {

struct ZipEntry {
  std::string name;
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t data_offset = 0;  // of its bytes in the archive
};

class ZipReader {
 public:
  // Reads the directory at the end, checks that every member lies inside the archive and that no
  // two overlap. Nothing is unpacked yet.
  static Result<ZipReader> open(const std::filesystem::path& path);
  static Result<ZipReader> parse(Bytes archive, std::string file_name);

  const std::vector<ZipEntry>& entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;  // null if there is none
  const std::string& file_name() const { return file_name_; }

  // The bytes of a member, checked against its CRC-32 (0: none was computed). Stored members share
  // the archive's memory. A packed member unpacks to a thousand times its size at most; a reader
  // that needs less says how many bytes are the `most` it takes (a ReadError above).
  Result<Bytes> read(const ZipEntry& entry, std::uint64_t most = kNoLimit) const;
  Result<Bytes> read(std::string_view name, std::uint64_t most = kNoLimit) const;
  // The first `count` bytes of a member, no more of it unpacked than these; all of a shorter one.
  // Only a whole member is checked against its CRC-32.
  Result<Bytes> start(const ZipEntry& entry, std::uint64_t count) const;

  static constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

 private:
  Result<Bytes> unpack(const ZipEntry& entry, std::uint64_t count) const;

  Bytes archive_;
  std::string file_name_;
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string, std::size_t> places_;  // in entries_, by name
};

// The most that a member of code or text (a pickle, a graph, metadata) may unpack to: such members
// are large only in large archives.
std::uint64_t honest_size(const ZipEntry& entry);

// Whether the bytes start like a zip archive ("PK\3\4", or "PK\5\6" for an empty one).
bool looks_like_zip(std::span<const std::byte> bytes);

struct ZipOptions {
  std::uint32_t alignment = 64;  // of each member's bytes, as PyTorch pads them
  // Sizes and offsets from here on are written as zip64 (lower only to test it).
  std::uint64_t zip64_from = 0xffffffff;
};

// Collects members (all stored) and writes them in order. The bytes are not copied.
class ZipWriter {
 public:
  explicit ZipWriter(ZipOptions options = {}) : options_(options) {}

  void add(std::string name, Bytes bytes);
  void add(std::string name, std::string text) { add(std::move(name), own(std::move(text))); }

  // Throws Error{RunFailed} if the file cannot be written; the previous file then stays whole.
  void write(const std::filesystem::path& path) const;
  std::string to_string() const;

 private:
  template <typename Sink>
  void emit(Sink&& sink) const;

  ZipOptions options_;
  std::vector<std::pair<std::string, Bytes>> members_;
};

}  // namespace mase::io
