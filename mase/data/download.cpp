// HTTP downloads with libcurl: resumable through byte ranges. Beside the growing file lies a note
// of its address and of the validator the server gave (ETag, RFC 9110), so that a range is asked
// for with If-Range: a file that has changed since comes whole.
#include "mase/data/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "mase/data/lookup.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/support/sha256.h"
#include "mase/support/signals.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAnotherSource = "check the network, or name another source with --url";
constexpr const char* kGoOn = "run the command again: it goes on where it stopped";

// The growing file, held by this process alone.
class PartFile {
 public:
  explicit PartFile(const fs::path& path)
      : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (fd_ < 0) fail(errno);
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd_);
      throw Error(ErrorKind::RunFailed, "another download of this file is under way",
                  {.file = path.string()});
    }
    size_ = std::max<std::int64_t>(0, ::lseek(fd_, 0, SEEK_END));
  }
  ~PartFile() { ::close(fd_); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  std::int64_t size() const { return size_; }
  void clear() {
    if (::ftruncate(fd_, 0) != 0) fail(errno);
    ::lseek(fd_, 0, SEEK_SET);
    size_ = 0;
  }
  // 0, or what went wrong as errno tells it. Called from within libcurl, which must not be thrown
  // through.
  int append(const char* bytes, std::size_t count) {
    while (count > 0) {
      const ssize_t n = ::write(fd_, bytes, count);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      bytes += n;
      count -= static_cast<std::size_t>(n);
      size_ += n;
    }
    return 0;
  }
  void flush() {
    if (::fsync(fd_) != 0) fail(errno);
  }
  [[noreturn]] void fail(int code) const {
    throw Error(ErrorKind::RunFailed,
                fmt::format("cannot write the download: {}", code == ENOSPC || code == EDQUOT
                                                                 ? "no space left on the disk"
                                                                 : std::strerror(code)),
                {.file = path_.string()}, size_ > 0 ? kGoOn : "");
  }

 private:
  fs::path path_;
  int fd_;
  std::int64_t size_ = 0;
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  return text;
}

// The value of a header line if it has this name (in lower case).
std::optional<std::string_view> header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  const bool same = std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
    return a == std::tolower(static_cast<unsigned char>(b));
  });
  return same ? std::optional(trim(line.substr(name.size() + 1))) : std::nullopt;
}

std::optional<std::int64_t> leading_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc{} && end != text.data() ? std::optional(value) : std::nullopt;
}

// One request and its answer.
class Transfer {
 public:
  Transfer(std::string url, PartFile& part, fs::path note, std::string_view name,
           const DownloadCallbacks& callbacks)
      : url_(std::move(url)),
        part_(part),
        note_(std::move(note)),
        name_(name),
        callbacks_(callbacks),
        curl_(curl_easy_init(), curl_easy_cleanup) {
    if (!curl_) internal_error("libcurl does not start");
  }

  // Asks for what is missing; `validator` is of the file the part belongs to, empty for a new one.
  // False if the server says that there is no such part of its file.
  bool run(const std::string& validator);

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    if (curl_easy_setopt(curl_.get(), option, value) != CURLE_OK) {
      internal_error(fmt::format("libcurl refuses option {}", static_cast<int>(option)));
    }
  }
  bool accept_header(std::string_view line);
  bool accept(const char* bytes, std::size_t count);
  bool begin_body();
  bool tell_progress(std::int64_t expected);
  void check(CURLcode code) const;

  std::string url_;
  PartFile& part_;
  fs::path note_;
  std::string name_;
  const DownloadCallbacks& callbacks_;
  std::unique_ptr<CURL, void (*)(CURL*)> curl_;
  std::string reason_;  // of the last answer: "HTTP/1.1 404 Not Found"
  std::string etag_;
  std::string last_modified_;
  std::int64_t range_first_ = -1;
  std::int64_t total_ = -1;
  long status_ = 0;  // of the answer whose body arrives; 0 before
  int write_error_ = 0;
  bool stopped_ = false;
};

bool Transfer::accept_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // a new answer: after a redirection there are several
    reason_ = trim(line);
    etag_.clear();
    last_modified_.clear();
    range_first_ = total_ = -1;
  } else if (const auto etag = header_value(line, "etag")) {
    etag_ = *etag;
  } else if (const auto date = header_value(line, "last-modified")) {
    last_modified_ = *date;
  } else if (auto range = header_value(line, "content-range");
             range && range->starts_with("bytes ")) {
    range_first_ = leading_number(range->substr(6)).value_or(-1);
    if (const auto slash = range->find('/'); slash != std::string_view::npos) {
      total_ = leading_number(range->substr(slash + 1)).value_or(-1);
    }
  }
  return true;
}

// Called with the first bytes of an answer: what becomes of the part.
bool Transfer::begin_body() {
  curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status_);
  if (status_ == 206) return range_first_ == part_.size();
  if (status_ != 200) return true;
  try {
    part_.clear();
    // A weak ETag (W/"...") does not promise the same bytes.
    write_file(note_, url_ + "\n" + (etag_.starts_with('"') ? etag_ : last_modified_) + "\n");
  } catch (const Error&) {
    write_error_ = EIO;
    return false;
  }
  return true;
}

bool Transfer::accept(const char* bytes, std::size_t count) {
  if (status_ == 0 && !begin_body()) return false;
  if (status_ != 200 && status_ != 206) return true;  // the text of an error page
  write_error_ = part_.append(bytes, count);
  return write_error_ == 0;
}

bool Transfer::tell_progress(std::int64_t expected) {
  if (callbacks_.progress && status_ != 0 && (status_ == 200 || status_ == 206)) {
    DownloadProgress state{.file = name_, .done = part_.size()};
    if (total_ >= 0) {
      state.total = total_;
    } else if (status_ == 200 && expected > 0) {
      state.total = expected;
    }
    callbacks_.progress(state);
  }
  stopped_ = stop_requested();
  return !stopped_;
}

bool Transfer::run(const std::string& validator) {
  char message[CURL_ERROR_SIZE] = "";
  set(CURLOPT_ERRORBUFFER, message);
  set(CURLOPT_URL, url_.c_str());
  set(CURLOPT_USERAGENT, "mase");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, 10L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_CONNECTTIMEOUT, 30L);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);  // a minute without a byte ends it
  set(CURLOPT_LOW_SPEED_TIME, 60L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_HEADERDATA, this);
  set(
      CURLOPT_HEADERFUNCTION, +[](char* bytes, std::size_t size, std::size_t count, void* self) {
        const bool ok = static_cast<Transfer*>(self)->accept_header({bytes, size * count});
        return ok ? size * count : 0;
      });
  set(CURLOPT_WRITEDATA, this);
  set(
      CURLOPT_WRITEFUNCTION, +[](char* bytes, std::size_t size, std::size_t count, void* self) {
        return static_cast<Transfer*>(self)->accept(bytes, size * count) ? size * count : 0;
      });
  set(CURLOPT_XFERINFODATA, this);
  set(
      CURLOPT_XFERINFOFUNCTION,
      +[](void* self, curl_off_t expected, curl_off_t, curl_off_t, curl_off_t) {
        return static_cast<Transfer*>(self)->tell_progress(expected) ? 0 : 1;
      });
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(nullptr, curl_slist_free_all);
  const std::string range = fmt::format("{}-", part_.size());
  if (part_.size() > 0) {
    headers.reset(curl_slist_append(nullptr, ("If-Range: " + validator).c_str()));
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_RANGE, range.c_str());
  }
  const CURLcode code = curl_easy_perform(curl_.get());
  if (status_ == 0 && code == CURLE_OK) begin_body();  // an answer without a body
  // Asking for what lies behind the end: all of the file is there already.
  if (status_ == 416 && code == CURLE_OK) return total_ == part_.size();
  check(code);
  return true;
}

void Transfer::check(CURLcode code) const {
  const Location where{.file = url_};
  if (stopped_) {
    throw Error(ErrorKind::Interrupted,
                fmt::format("stopped after {} bytes of {}", part_.size(), name_), {}, kGoOn);
  }
  if (write_error_ != 0) part_.fail(write_error_);
  if (code == CURLE_OK && status_ != 200 && status_ != 206) {
    const std::size_t space = reason_.find(' ');
    throw Error(ErrorKind::RunFailed,
                fmt::format("the server answered {}",
                            space == std::string::npos ? reason_ : reason_.substr(space + 1)),
                where, kAnotherSource);
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
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
      throw Error(ErrorKind::RunFailed,
                  fmt::format("the connection broke after {} bytes ({})", part_.size(),
                              curl_easy_strerror(code)),
                  where, kGoOn);
    case CURLE_OPERATION_TIMEDOUT:
      throw Error(ErrorKind::RunFailed,
                  fmt::format("the server fell silent after {} bytes", part_.size()), where,
                  part_.size() > 0 ? kGoOn : kAnotherSource);
    default:
      throw Error(ErrorKind::RunFailed,
                  fmt::format("cannot be fetched: {}", curl_easy_strerror(code)), where,
                  kAnotherSource);
  }
}

// The validator in a note, if it is of this address.
std::string known_validator(const fs::path& note, const std::string& url) {
  const auto text = read_file(note, 1 << 16);
  if (!text || !text->starts_with(url + "\n")) return {};
  return std::string(trim(std::string_view(*text).substr(url.size() + 1)));
}

void fetch(const std::string& url, PartFile& part, const fs::path& note, std::string_view name,
           const DownloadCallbacks& callbacks) {
  const std::string validator = known_validator(note, url);
  if (part.size() > 0 && validator.empty()) part.clear();
  if (part.size() > 0 && callbacks.info) {
    callbacks.info(fmt::format("{}: going on after {} bytes", name, part.size()));
  }
  if (Transfer(url, part, note, name, callbacks).run(validator)) return;
  part.clear();
  if (!Transfer(url, part, note, name, callbacks).run("")) {
    throw Error(ErrorKind::RunFailed, "the server does not give the file out", {.file = url},
                kAnotherSource);
  }
}

void check_content(const fs::path& part, const std::string& url, std::string_view expected) {
  if (expected.empty()) return;
  const std::string found = sha256_file(part).or_throw();
  if (found == expected) return;
  fs::remove(part);
  throw Error(ErrorKind::RunFailed,
              fmt::format("is not the expected file: its SHA-256 is {}, not {}", found, expected),
              {.file = url}, kAnotherSource);
}

fs::path with_suffix(fs::path path, const char* suffix) {
  return path += suffix;
}

}  // namespace

void download_file(const std::string& url, const fs::path& destination, std::string_view sha256,
                   const DownloadCallbacks& callbacks) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) internal_error("libcurl does not start");
  create_folder(destination.parent_path());
  const fs::path part_path = with_suffix(destination, ".part");
  const fs::path note = with_suffix(destination, ".part.note");
  {
    PartFile part(part_path);
    fetch(url, part, note, destination.filename().string(), callbacks);
    part.flush();
  }
  std::error_code code;
  fs::remove(note, code);
  check_content(part_path, url, sha256);
  fs::rename(part_path, destination, code);
  if (code) {
    throw Error(ErrorKind::RunFailed, "cannot rename the download: " + code.message(),
                {.file = destination.string()});
  }
}

std::vector<fs::path> download(const DataSetRow& row, std::string_view url, const fs::path& folder,
                               const DownloadCallbacks& callbacks) {
  if (row.files.empty()) {
    usage_error(fmt::format("{} is made by this program: there is nothing to download", row.name));
  }
  const auto folders = data_folders({.data_dir = folder});
  if (folders.empty()) {
    usage_error("no folder for the data is known", {}, "name one with --data-dir");
  }
  std::string base(url.empty() ? row.download_url : url);
  if (row.files.size() > 1 && !base.ends_with('/')) base += '/';
  std::vector<fs::path> paths;
  for (const RemoteFile& file : row.files) {
    const fs::path path = folders.front() / row.name / file.name;
    paths.push_back(path);
    if (fs::exists(path)) {
      if (callbacks.info) callbacks.info(fmt::format("{} is there already", path.string()));
      continue;
    }
    download_file(base.ends_with('/') ? base + std::string(file.name) : base, path, file.sha256,
                  callbacks);
    if (file.looks_right != nullptr && !file.looks_right(path)) {
      fs::remove(path);
      throw Error(ErrorKind::RunFailed, fmt::format("what the server sent is not {}", file.name),
                  {.file = base}, "it may be an error page; name another source with --url");
    }
  }
  return paths;
}

}  // namespace mase::data
