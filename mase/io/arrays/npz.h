#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mase/io/arrays/npy.h"
#include "mase/io/zip.h"

namespace mase::io {

// The start of a member that is an npy file: all of its header. At most kNpyHeaderBytes.
Result<Bytes> npy_member_start(const ZipReader& zip, const ZipEntry& entry);
// A member that is an npy file. Never more is unpacked than its own header says it takes: a member
// that holds more is a ReadError. Of Python objects, which are refused, its start.
Result<Bytes> npy_member(const ZipReader& zip, const ZipEntry& entry);

// An npz archive: arrays by name (without ".npy"), each read when asked for.
class NpzReader {
 public:
  static Result<NpzReader> open(const std::filesystem::path& path);
  static Result<NpzReader> parse(Bytes archive, std::string file_name);

  std::vector<std::string> names() const;  // in the order of the archive
  bool contains(std::string_view name) const;
  Result<ir::Tensor> read(std::string_view name) const;         // as read_npy
  Result<ir::State> read_columns(std::string_view name) const;  // as read_npy_columns

 private:
  explicit NpzReader(ZipReader zip) : zip_(std::move(zip)) {}
  Result<Bytes> member(std::string_view name) const;

  ZipReader zip_;
};

// All arrays of an archive, in its order. An array that cannot be read is a ReadError naming it.
Result<ir::State> read_npz(const std::filesystem::path& path);
// Throws Error{RunFailed} if the file cannot be written; the previous file then stays whole.
void write_npz(const std::filesystem::path& path, const ir::State& arrays);

}  // namespace mase::io
