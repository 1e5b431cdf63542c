// Event files as TensorBoard's own writers make them (tensorflow/core/util/event.proto and the
// hparams plug-in's plugin_data.proto, api.proto).
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "mase/io/bytes.h"
#include "mase/io/events/crc32c.h"
#include "mase/io/events/protobuf.h"
#include "mase/io/events/tensorboard.h"
#include "mase/support/error.h"

namespace mase::io {
namespace {

using protobuf::put_bytes;
using protobuf::put_double;
using protobuf::put_float;
using protobuf::put_integer;

constexpr std::size_t kBufferSize = std::size_t{1} << 16;

double now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

std::string host() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

// Event: wall_time = 1, step = 2, file_version = 3, summary = 5; Summary: value = 1.
std::string event_with(std::int64_t step, std::string_view summary_value) {
  std::string out;
  put_double(out, 1, now());
  if (step != 0) put_integer(out, 2, step);
  std::string summary;
  put_bytes(summary, 1, summary_value);
  put_bytes(out, 5, summary);
  return out;
}

// Summary.Value with tag = 1 and metadata = 9 {plugin_data = 1 {plugin_name = 1, content = 2}}.
std::string plugin_value(std::string_view tag, std::string_view content) {
  std::string data;
  put_bytes(data, 1, "hparams");
  put_bytes(data, 2, content);
  std::string metadata;
  put_bytes(metadata, 1, data);
  std::string out;
  put_bytes(out, 1, tag);
  put_bytes(out, 9, metadata);
  return out;
}

struct Flat {
  std::string name;
  ir::Value value;
};
void flatten(const ir::Dict& values, const std::string& prefix, std::vector<Flat>& out) {
  for (const auto& [name, value] : values) {
    const auto* inner = value.get<ir::Dict>();
    if (inner && !inner->empty()) {
      flatten(*inner, fmt::format("{}{}/", prefix, name), out);
    } else {
      out.push_back({prefix + name, value});
    }
  }
}

// api.proto DataType: 1 text, 2 truth value, 3 number.
std::int64_t type_of(const ir::Value& value) {
  if (value.is<bool>()) return 2;
  return value.is_number() ? 3 : 1;
}

// google.protobuf.Value: number = 2, text = 3, truth value = 4.
std::string protobuf_value(const ir::Value& value) {
  std::string out;
  if (const auto* flag = value.get<bool>()) {
    put_integer(out, 4, *flag);
  } else if (value.is_number()) {
    put_double(out, 2, value.as_number());
  } else if (const auto* text = value.get<std::string>()) {
    put_bytes(out, 3, as_utf8(*text));
  } else {
    put_bytes(out, 3, ir::repr(value));
  }
  return out;
}

[[noreturn]] void fail(const std::filesystem::path& path, int code) {
  throw Error(ErrorKind::RunFailed,
              fmt::format("cannot write events: {}", std::generic_category().message(code)),
              {.file = path.string()});
}

}  // namespace

EventWriter::EventWriter(const std::filesystem::path& folder) {
  create_folder(folder);
  static std::atomic<int> next{0};
  do {  // two containers may have the same host name and process number
    path_ = folder / fmt::format("events.out.tfevents.{}.{}.{}.{}",
                                 static_cast<std::int64_t>(now()), host(), ::getpid(), next++);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail(path_, errno);
  std::string event;
  put_double(event, 1, now());
  put_bytes(event, 3, "brain.Event:2");
  record(event);
}

EventWriter::~EventWriter() {
  try {
    flush();
  } catch (const Error&) {
    // Nothing more can be done; whoever needs to know calls flush().
  }
  ::close(descriptor_);
}

void EventWriter::record(std::string_view event) {
  std::string length;
  put<std::uint64_t>(length, event.size());
  buffer_ += length;
  put<std::uint32_t>(buffer_, masked_crc32c(bytes_of(length)));
  buffer_ += event;
  put<std::uint32_t>(buffer_, masked_crc32c(bytes_of(event)));
  if (buffer_.size() >= kBufferSize) flush();
}

void EventWriter::flush() {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int code = errno;
      buffer_.erase(0, done);
      fail(path_, code);
    }
    done += static_cast<std::size_t>(n);
  }
  buffer_.clear();
}

void EventWriter::scalar(std::string_view tag, double value, std::int64_t step) {
  std::string body;
  put_bytes(body, 1, tag);
  put_float(body, 2, static_cast<float>(value));
  record(event_with(step, body));
}

void EventWriter::hyper_parameters(const ir::Dict& values,
                                   const std::vector<std::string>& metrics) {
  std::vector<Flat> flat;
  flatten(values, "", flat);
  // hparam_infos = 4 {name = 1, type = 4}, metric_infos = 5 {name = 1 {tag = 2}}
  std::string experiment;
  std::string session;  // hparams = 1, a map: {key = 1, value = 2}; start_time_secs = 5
  for (const Flat& item : flat) {
    std::string info;
    put_bytes(info, 1, item.name);
    put_integer(info, 4, type_of(item.value));
    put_bytes(experiment, 4, info);
    std::string entry;
    put_bytes(entry, 1, item.name);
    put_bytes(entry, 2, protobuf_value(item.value));
    put_bytes(session, 1, entry);
  }
  for (const std::string& tag : metrics) {
    std::string name;
    put_bytes(name, 2, tag);
    std::string info;
    put_bytes(info, 1, name);
    put_bytes(experiment, 5, info);
  }
  put_double(session, 5, now());
  session_part("experiment", 2, experiment);
  session_part("session_start_info", 3, session);
}

void EventWriter::end_session(bool success) {
  std::string end;  // status = 1 {success = 1, failure = 2}, end_time_secs = 2
  put_integer(end, 1, success ? 1 : 2);
  put_double(end, 2, now());
  session_part("session_end_info", 4, end);
}

// HParamsPluginData: experiment = 2, session_start_info = 3, session_end_info = 4.
void EventWriter::session_part(std::string_view name, std::uint32_t field,
                               std::string_view content) {
  std::string data;
  put_bytes(data, field, content);
  record(event_with(0, plugin_value(fmt::format("_hparams_/{}", name), data)));
}

}  // namespace mase::io
