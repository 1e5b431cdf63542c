#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mase::data {

// What the header of an HTTP answer says about its body. Numbers are -1 where it says nothing, or
// nothing that can be true.
struct AnswerHead {
  std::string status;  // "404 Not Found"
  std::string etag;
  std::string last_modified;
  std::string date;
  std::int64_t content_length = -1;
  std::int64_t range_first = -1;  // of a part: its first byte
  std::int64_t range_total = -1;  // of a part: bytes of the whole file
  bool chunked = false;

  // Takes a line of the header. A status line begins a new answer: after a redirection there are
  // several.
  void accept(std::string_view line);
  // What tells this version of the file from others: a strong ETag, else a date of its last change
  // that lies long enough before the answer (RFC 9110, 8.8.2.2). Empty if there is none.
  std::string validator() const;
  // Whether the end of the body can be told from a broken connection.
  bool has_end() const { return chunked || content_length >= 0 || range_total >= 0; }
};

}  // namespace mase::data
