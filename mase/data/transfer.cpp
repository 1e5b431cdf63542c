// One HTTP request with libcurl. A range is asked for with If-Range, so that a file that has
// changed since comes whole; since not every server honours that, the answer must name the version,
// too.
#include "mase/data/transfer.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "mase/data/answer_head.h"
#include "mase/support/error.h"
#include "mase/support/signals.h"

namespace mase::data {
namespace {

constexpr const char* kAnotherSource = "check the network, or name another source with --url";
constexpr const char* kGoOn = "run the command again: it goes on where it stopped";

class Transfer {
 public:
  Transfer(const std::string& url, PartFile& part, std::string_view name,
           const DownloadLimits& limits, const DownloadCallbacks& callbacks)
      : url_(url),
        part_(part),
        name_(name),
        limits_(limits),
        callbacks_(callbacks),
        curl_(curl_easy_init(), curl_easy_cleanup) {
    if (!curl_) internal_error("libcurl does not start");
  }

  Fetched run();

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    if (curl_easy_setopt(curl_.get(), option, value) != CURLE_OK) {
      internal_error(fmt::format("libcurl refuses option {}", static_cast<int>(option)));
    }
  }
  void set_limits();
  void set_callbacks();
  // Called from within libcurl, which must not be thrown through.
  bool accept(const char* bytes, std::size_t count);
  bool begin_body();
  bool begin_part();
  bool tell_progress();
  Fetched verdict() const;
  Fetched verdict_of_416() const;
  std::int64_t total() const;  // bytes of the whole file, -1 if unknown
  void check(CURLcode code) const;
  [[noreturn]] void fail_too_long() const;

  const std::string& url_;
  PartFile& part_;
  std::string name_;
  const DownloadLimits& limits_;
  const DownloadCallbacks& callbacks_;
  std::unique_ptr<CURL, void (*)(CURL*)> curl_;
  AnswerHead head_;  // of the last answer
  long status_ = 0;  // of the answer whose body arrives; 0 before
  int write_error_ = 0;
  std::optional<Error> problem_;  // to be thrown once libcurl has returned
  bool too_long_ = false;
  bool other_version_ = false;
  bool stopped_ = false;
};

// Called with the first bytes of an answer: what becomes of the part.
bool Transfer::begin_body() {
  curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status_);
  if (status_ == 206) return begin_part();
  if (status_ != 200) return true;
  try {
    part_.restart({url_, head_.validator(), head_.content_length});
  } catch (const Error& error) {
    problem_ = error;
    return false;
  }
  return true;
}

bool Transfer::begin_part() {
  if (head_.range_first != part_.size() || part_.size() == 0) return false;
  const PartFile::Note& note = part_.note();
  const bool same_length =
      note.length < 0 || head_.range_total < 0 || note.length == head_.range_total;
  other_version_ =
      !same_length || (head_.etag != note.validator && head_.last_modified != note.validator);
  return !other_version_;
}

bool Transfer::accept(const char* bytes, std::size_t count) {
  if (status_ == 0 && !begin_body()) return false;
  if (status_ != 200 && status_ != 206) return true;  // the text of an error page
  too_long_ = part_.size() + static_cast<std::int64_t>(count) > limits_.bytes;
  if (too_long_) return false;
  write_error_ = part_.append(bytes, count);
  return write_error_ == 0;
}

std::int64_t Transfer::total() const {
  if (status_ == 200) return head_.content_length;
  return head_.range_total >= 0 ? head_.range_total : part_.note().length;
}

bool Transfer::tell_progress() {
  if (callbacks_.progress && (status_ == 200 || status_ == 206)) {
    DownloadProgress state{.file = name_, .done = part_.size()};
    if (total() >= 0) state.total = total();
    callbacks_.progress(state);
  }
  stopped_ = stop_requested();
  return !stopped_;
}

void Transfer::set_limits() {
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, 10L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_CONNECTTIMEOUT, limits_.connect_seconds);
  set(CURLOPT_LOW_SPEED_LIMIT, limits_.bytes_per_second);
  set(CURLOPT_LOW_SPEED_TIME, limits_.silent_seconds);
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(limits_.bytes));
  set(CURLOPT_NOSIGNAL, 1L);
}

void Transfer::set_callbacks() {
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_HEADERDATA, this);
  set(
      CURLOPT_HEADERFUNCTION, +[](char* bytes, std::size_t size, std::size_t count, void* self) {
        static_cast<Transfer*>(self)->head_.accept({bytes, size * count});
        return size * count;
      });
  set(CURLOPT_WRITEDATA, this);
  set(
      CURLOPT_WRITEFUNCTION, +[](char* bytes, std::size_t size, std::size_t count, void* self) {
        return static_cast<Transfer*>(self)->accept(bytes, size * count) ? size * count : 0;
      });
  set(CURLOPT_XFERINFODATA, this);
  set(
      CURLOPT_XFERINFOFUNCTION, +[](void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        return static_cast<Transfer*>(self)->tell_progress() ? 0 : 1;
      });
}

Fetched Transfer::run() {
  set(CURLOPT_URL, url_.c_str());
  set(CURLOPT_USERAGENT, "mase");
  set_limits();
  set_callbacks();
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(nullptr, curl_slist_free_all);
  const std::string range = fmt::format("{}-", part_.size());
  if (part_.size() > 0) {
    headers.reset(curl_slist_append(nullptr, ("If-Range: " + part_.note().validator).c_str()));
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_RANGE, range.c_str());
  }
  const CURLcode code = curl_easy_perform(curl_.get());
  if (status_ == 0 && code == CURLE_OK) begin_body();  // an answer without a body
  if (other_version_) return Fetched::OtherVersion;
  if (status_ == 416 && code == CURLE_OK && part_.size() > 0) return verdict_of_416();
  check(code);
  return verdict();
}

// Asked for what lies behind the end. It is the end if the first answer said so, and nothing speaks
// against it now.
Fetched Transfer::verdict_of_416() const {
  const PartFile::Note& note = part_.note();
  const bool same = head_.validator().empty() || head_.validator() == note.validator;
  const bool at_end =
      part_.size() == note.length && (head_.range_total < 0 || head_.range_total == note.length);
  return same && at_end ? Fetched::Whole : Fetched::OtherVersion;
}

Fetched Transfer::verdict() const {
  if (total() >= 0 && part_.size() != total()) {
    throw Error(ErrorKind::RunFailed,
                fmt::format("the connection broke after {} of {} bytes", part_.size(), total()),
                {.file = url_}, kGoOn);
  }
  long version = 0;
  curl_easy_getinfo(curl_.get(), CURLINFO_HTTP_VERSION, &version);
  const bool framed = version >= CURL_HTTP_VERSION_2_0;  // has an end of its own
  return framed || total() >= 0 || head_.has_end() ? Fetched::Whole : Fetched::PerhapsWhole;
}

void Transfer::fail_too_long() const {
  throw Error(ErrorKind::RunFailed,
              fmt::format("the file is longer than {} bytes, which no download of {} is",
                          limits_.bytes, name_),
              {.file = url_}, kAnotherSource);
}

void Transfer::check(CURLcode code) const {
  const Location where{.file = url_};
  if (stopped_) {
    throw Error(ErrorKind::Interrupted,
                fmt::format("stopped after {} bytes of {}", part_.size(), name_), {}, kGoOn);
  }
  if (write_error_ != 0) part_.fail(write_error_);
  if (too_long_) fail_too_long();
  if (problem_) throw *problem_;
  if (code == CURLE_OK && status_ != 200 && status_ != 206) {
    throw Error(ErrorKind::RunFailed, fmt::format("the server answered {}", head_.status), where,
                kAnotherSource);
  }
  switch (code) {
    case CURLE_OK:
      return;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      usage_error("not an address of the form http://... or https://...", where);
    case CURLE_WRITE_ERROR:
      throw Error(ErrorKind::RunFailed, "the server sent another part of the file than asked for",
                  where, kAnotherSource);
    case CURLE_FILESIZE_EXCEEDED:
      fail_too_long();
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      throw Error(ErrorKind::RunFailed,
                  fmt::format("the connection broke after {} bytes ({})", part_.size(),
                              curl_easy_strerror(code)),
                  where, kGoOn);
    case CURLE_OPERATION_TIMEDOUT:
      throw Error(
          ErrorKind::RunFailed,
          fmt::format("the server fell silent after {} bytes: fewer than {} a second for {} s",
                      part_.size(), limits_.bytes_per_second, limits_.silent_seconds),
          where, part_.size() > 0 ? kGoOn : kAnotherSource);
    default:
      throw Error(ErrorKind::RunFailed,
                  fmt::format("cannot be fetched: {}", curl_easy_strerror(code)), where,
                  kAnotherSource);
  }
}

}  // namespace

Fetched transfer(const std::string& url, PartFile& part, std::string_view name,
                 const DownloadLimits& limits, const DownloadCallbacks& callbacks) {
  return Transfer(url, part, name, limits, callbacks).run();
}

}  // namespace mase::data
