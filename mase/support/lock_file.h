#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace mase {

// An advisory lock file. Each of its bytes is a lock of its own, which one LockFile object at a
// time can hold: of this process, another one, another container, or (where the file system shares
// its locks, as NFS does) another host. A process that ends in whatever way leaves no lock behind;
// the file itself stays, for removing it would part those who hold it from those who come.
class LockFile {
 public:
  enum class Taken { Yes, Busy, Unsupported };

  // Makes the file where it is missing, and its folder. Throws Error{RunFailed}.
  explicit LockFile(std::filesystem::path path);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  // Never waits. Unsupported: the file system has no locks.
  Taken try_lock(std::int64_t byte);
  void unlock(std::int64_t byte);
  // Whether somebody else holds a lock at `first` or behind it.
  bool others_from(std::int64_t first) const;
  // Whether the file was removed meanwhile: what is held then keeps nobody out.
  bool removed() const;

  // Who holds the lock that matters most, for messages: written by the holder, read by others.
  void sign(const std::string& who);
  std::string signature() const;  // printable, of at most 200 bytes; may be empty

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

// "process 4711 on host": for LockFile::sign.
std::string this_process();

}  // namespace mase
