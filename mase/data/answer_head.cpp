// Header lines of HTTP answers (RFC 9110), those that downloads depend on.
#include "mase/data/answer_head.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>
#include <optional>

namespace mase::data {
namespace {

// A change within the same second as the answer would not show in the date.
constexpr std::time_t kLongEnough = 60;

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

// The value of a header line if it has this name (in lower case).
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  const bool same = std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
    return a == std::tolower(static_cast<unsigned char>(b));
  });
  return same ? std::optional(trim(line.substr(name.size() + 1))) : std::nullopt;
}

std::int64_t number(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = code == std::errc{} && end == text.data() + text.size();
  return whole && value >= 0 ? value : -1;
}

// "bytes 5-9/10", "bytes */10"
void accept_range(std::string_view range, AnswerHead& head) {
  if (!range.starts_with("bytes ")) return;
  range.remove_prefix(6);
  head.range_first = number(range.substr(0, range.find('-')));
  const std::size_t slash = range.find('/');
  if (slash != std::string_view::npos) head.range_total = number(range.substr(slash + 1));
}

}  // namespace

void AnswerHead::accept(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    *this = {};
    const std::size_t space = line.find(' ');
    status = space == std::string_view::npos ? trim(line) : trim(line.substr(space));
  } else if (const auto tag = value_of(line, "etag")) {
    etag = *tag;
  } else if (const auto changed = value_of(line, "last-modified")) {
    last_modified = *changed;
  } else if (const auto now = value_of(line, "date")) {
    date = *now;
  } else if (const auto length = value_of(line, "content-length")) {
    content_length = number(*length);
  } else if (const auto range = value_of(line, "content-range")) {
    accept_range(*range, *this);
  } else if (const auto coding = value_of(line, "transfer-encoding")) {
    chunked = coding->ends_with("chunked");
  }
}

std::string AnswerHead::validator() const {
  if (etag.starts_with('"')) return etag;  // W/"..." does not promise the same bytes
  if (date.empty() || last_modified.empty()) return last_modified;
  const std::time_t changed = curl_getdate(last_modified.c_str(), nullptr);
  const std::time_t now = curl_getdate(date.c_str(), nullptr);
  return changed >= 0 && now - changed >= kLongEnough ? last_modified : "";
}

}  // namespace mase::data
