#pragma once

#include <hdf5.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "mase/io/bytes.h"
#include "mase/support/result.h"

// What the readers of HDF5 files share: the library's lock, its objects, its reasons.
namespace mase::io::hdf5 {

// The library keeps global state and is built without locks.
std::recursive_mutex& library_lock();

// An open object of the library, closed on leaving.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }

  bool ok() const { return id_ >= 0; }
  hid_t id() const { return id_; }
  void reset() {
    if (id_ >= 0) close_(id_);
    id_ = H5I_INVALID_HID;
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  herr_t (*close_)(hid_t) = nullptr;
};

inline Handle type_handle(hid_t id) {
  return {id, H5Tclose};
}
inline Handle space_handle(hid_t id) {
  return {id, H5Sclose};
}

// Stops the library from printing its error stack while it lives.
class Silence {
 public:
  Silence();
  ~Silence();
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

// Why the library refused the last call: ": truncated file", or "". What only newer libraries can
// write is said to be that, with what to do.
std::string library_reason();

// A file open for reading.
class File {
 public:
  static Result<File> open(const std::filesystem::path& path);
  static Result<File> parse(std::span<const std::byte> image, const std::string& name);

  hid_t id() const { return handle_.id(); }
  std::uint64_t size() const { return size_; }
  ReadError error(std::string message) const { return {std::move(message), {.file = name_}}; }
  // "cannot open the HDF5 file: truncated file"
  ReadError failed(std::string_view doing) const;

  // A group or dataset by its path from the root. Links within the file are followed, links to
  // other files never are, wherever the path leads through one.
  Handle object(const std::string& path) const;
  // With a cache for `chunks` chunks of `chunk_bytes` bytes together.
  Handle dataset(const std::string& path, std::uint64_t chunk_bytes, std::uint64_t chunks) const;

 private:
  std::string name_;
  std::uint64_t size_ = 0;
  Handle handle_;
  Handle links_;  // how links are followed; kept, as closing it would clear the library's reason
};

}  // namespace mase::io::hdf5
