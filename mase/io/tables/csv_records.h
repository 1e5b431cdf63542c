#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct gzFile_s;

namespace mase::io {

// The records of a CSV file one after the other: the text between line ends outside quotes. A file
// that is gzipped is unpacked on the way. Memory is bounded by the longest record.
class CsvRecords {
 public:
  explicit CsvRecords(const std::filesystem::path& path);

  // A record of more bytes is an error. May be changed between records.
  void set_limit(std::size_t bytes) { limit_ = bytes; }

  // The next record without its line end, or nothing at the end or after an error. Valid until the
  // next call.
  bool next(std::string_view& record);

  std::int64_t line() const { return line_; }  // on which the last record began, from 1
  const std::string& error() const { return error_; }

 private:
  struct Close {
    void operator()(gzFile_s* file) const;
  };

  std::size_t find_end();  // of the record that begins at begin_, npos if it is not in the buffer
  bool fill();
  bool fail(std::string why);

  std::unique_ptr<gzFile_s, Close> file_;
  std::size_t limit_ = std::size_t{1} << 24;
  std::string buffer_;
  std::size_t begin_ = 0;    // of the next record
  std::size_t scanned_ = 0;  // no record ends before this
  bool quoted_ = false;
  bool at_end_ = false;
  std::int64_t line_ = 0;
  std::int64_t next_line_ = 1;
  std::string error_;
};

}  // namespace mase::io
