#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mase/io/bytes.h"
#include "mase/ir/value.h"

// TensorBoard event files: length-prefixed, checksummed records of protobuf messages, encoded here
// by hand.
namespace mase::io {

// Appends to a file of its own in `folder` (created if missing), so that a resumed run never
// touches what an earlier one wrote. All functions throw Error{RunFailed} if the disk refuses.
class EventWriter {
 public:
  explicit EventWriter(const std::filesystem::path& folder);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  void scalar(std::string_view tag, double value, std::int64_t step);
  // The start of a session for the HPARAMS tab: nested dictionaries become "a/b", what is no
  // number, truth value or text becomes its repr. `metrics` are the tags of scalars shown beside
  // them, with their last values.
  void hyper_parameters(const ir::Dict& values, const std::vector<std::string>& metrics);
  // The end of that session; one without an end is shown as running.
  void end_session(bool success);
  // Hands everything to the operating system.
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  void record(std::string_view event);
  void session_part(std::string_view name, std::uint32_t field, std::string_view content);

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::string buffer_;
};

struct ScalarEvent {
  double wall_time = 0;  // seconds since 1970
  std::int64_t step = 0;
  std::string tag;
  float value = 0;
};

struct EventFile {
  std::string version;                   // "brain.Event:2"
  std::vector<ScalarEvent> scalars;      // in the order of the file
  std::vector<std::string> plugin_tags;  // tags that only carry data for a plug-in
  std::size_t records = 0;
  bool complete = true;  // false: the tail is cut off or damaged and was left out
};

// A file that starts with no whole record is a ReadError; later damage only ends the reading, as it
// does in TensorBoard.
Result<EventFile> read_events(const std::filesystem::path& path);
Result<EventFile> parse_events(std::span<const std::byte> bytes, const std::string& file_name);

}  // namespace mase::io
