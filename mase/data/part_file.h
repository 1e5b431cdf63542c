#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace mase::data {

// The growing file of a download, "<destination>.part", held by one process at a time, and the note
// beside it: which file of which server it is the beginning of.
class PartFile {
 public:
  struct Note {
    std::string url;
    std::string validator;     // AnswerHead::validator; empty: it cannot be gone on with
    std::int64_t length = -1;  // of the whole file, where the server said it
  };

  // Throws Error{RunFailed}: another process holds it, or it cannot be written.
  explicit PartFile(const std::filesystem::path& destination);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::int64_t size() const { return size_; }
  const Note& note() const { return note_; }

  // Empty again, from now on for this file. Throws Error{RunFailed}.
  void restart(Note note);
  // 0, or what went wrong as errno tells it.
  int append(const char* bytes, std::size_t count);
  void flush();
  // Gives it the name of the destination, which it replaces.
  void finish();
  void remove();
  [[noreturn]] void fail(int code) const;

 private:
  bool open();
  void read_note();

  std::filesystem::path destination_;
  std::filesystem::path path_;
  std::filesystem::path note_path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
  Note note_;
};

}  // namespace mase::data
