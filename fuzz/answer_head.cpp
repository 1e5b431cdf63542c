// The header of an HTTP answer, line by line as it arrives: numbers that can be true, and no
// validator but what the lines hold.
#include "mase/data/answer_head.h"

#include <algorithm>

#include "fuzz/harness.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  data::AnswerHead head;
  std::string_view text = fuzz::text_of(bytes);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    head.accept(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
    for (const std::int64_t number : {head.content_length, head.range_first, head.range_total}) {
      fuzz::require(number >= -1, "a number, or -1");
    }
    for (const std::string& line : {head.status, head.etag, head.last_modified, head.date}) {
      fuzz::require(line.find('\n') == std::string::npos, "a value is of one line");
    }
  }
  const std::string validator = head.validator();
  fuzz::require(validator.empty() || validator == head.etag || validator == head.last_modified,
                "a validator is what the server said");
}
