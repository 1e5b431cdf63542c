// Reads event files back: for tests, and for tools that compare runs.
#include <fmt/format.h>

#include <bit>

#include "mase/io/events/crc32c.h"
#include "mase/io/events/protobuf.h"
#include "mase/io/events/tensorboard.h"

namespace mase::io {
namespace {

using protobuf::next_field;

// The payload of the next record; nullopt if it is cut off or damaged.
std::optional<std::span<const std::byte>> next_record(Cursor& cursor) {
  const auto length_bytes = cursor.take(8);
  const auto length_crc = cursor.number<std::uint32_t>();
  if (!length_bytes || !length_crc || *length_crc != masked_crc32c(*length_bytes))
    return std::nullopt;
  std::uint64_t length = 0;
  std::memcpy(&length, length_bytes->data(), sizeof length);
  const auto payload = cursor.take(length);
  const auto crc = cursor.number<std::uint32_t>();
  if (!payload || !crc || *crc != masked_crc32c(*payload)) return std::nullopt;
  return payload;
}

bool read_value(std::span<const std::byte> bytes, const ScalarEvent& event, EventFile& out) {
  Cursor cursor(bytes);
  ScalarEvent scalar = event;
  bool has_value = false;
  bool has_plugin = false;
  while (const auto field = next_field(cursor)) {
    if (field->id == 1 && field->wire == 2) scalar.tag = text_of(field->bytes);
    if (field->id == 2 && field->wire == 5) {
      scalar.value = std::bit_cast<float>(static_cast<std::uint32_t>(field->number));
      has_value = true;
    }
    has_plugin = has_plugin || field->id == 9;
  }
  if (has_value) {
    out.scalars.push_back(std::move(scalar));
  } else if (has_plugin) {
    out.plugin_tags.push_back(std::move(scalar.tag));
  }
  return cursor.at_end();
}

bool read_event(std::span<const std::byte> bytes, EventFile& out) {
  ScalarEvent event;
  std::vector<std::span<const std::byte>> values;
  Cursor cursor(bytes);
  while (const auto field = next_field(cursor)) {
    if (field->id == 1 && field->wire == 1) event.wall_time = std::bit_cast<double>(field->number);
    if (field->id == 2 && field->wire == 0) event.step = static_cast<std::int64_t>(field->number);
    if (field->id == 3 && field->wire == 2) out.version = text_of(field->bytes);
    if (field->id != 5 || field->wire != 2) continue;
    Cursor summary(field->bytes);
    while (const auto value = next_field(summary)) {
      if (value->id == 1 && value->wire == 2) values.push_back(value->bytes);
    }
    if (!summary.at_end()) return false;
  }
  for (const auto& value : values) {
    if (!read_value(value, event, out)) return false;
  }
  return cursor.at_end();
}

}  // namespace

Result<EventFile> parse_events(std::span<const std::byte> bytes, const std::string& file_name) {
  EventFile out;
  Cursor cursor(bytes);
  while (!cursor.at_end()) {
    const auto payload = next_record(cursor);
    if (!payload || !read_event(*payload, out)) {
      if (out.records == 0)
        return ReadError{"not an event file of TensorBoard", {.file = file_name}};
      out.complete = false;
      break;
    }
    ++out.records;
  }
  return out;
}

Result<EventFile> read_events(const std::filesystem::path& path) {
  const auto file = load_file(path);
  if (!file) return file.error();
  return parse_events(file->bytes, path.string());
}

}  // namespace mase::io
