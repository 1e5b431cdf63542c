// Frames are checked one by one: kind, length, and that rows continue where the last ones ended.
#include "mase/io/tables/table_frames.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/io/bytes.h"

namespace mase::io {
namespace {

ReadError broken(const std::filesystem::path& path, std::string message) {
  return {std::move(message), {.file = path.string()}};
}

// Appends `count` elements. Memory is taken as they arrive, whatever length was announced.
template <typename Container>
bool receive_into(FrameSource& source, Container& to, std::size_t count) {
  using Element = typename Container::value_type;
  constexpr std::size_t kPiece = (std::size_t{1} << 20) / sizeof(Element);
  while (count > 0) {
    const std::size_t piece = std::min(count, kPiece);
    const std::size_t there = to.size();
    to.resize(there + piece);
    if (!source.receive(std::as_writable_bytes(std::span(to).subspan(there)))) return false;
    count -= piece;
  }
  return true;
}

Result<Frame> receive_frame(FrameSource& source, const std::filesystem::path& path) {
  Frame frame;
  if (!source.receive(std::as_writable_bytes(std::span(&frame, 1)))) {
    return broken(path, source.failure());
  }
  if (frame.size > kLargestFrame) {
    return broken(path, "damaged: the program that reads it sent too much at once");
  }
  return frame;
}

Result<std::string> receive_content(FrameSource& source, const Frame& frame,
                                    const std::filesystem::path& path) {
  std::string bytes;
  if (!receive_into(source, bytes, static_cast<std::size_t>(frame.size))) {
    return broken(path, source.failure());
  }
  return bytes;
}

// An error of the reader, which comes in a frame.
ReadError receive_error(FrameSource& source, const Frame& frame,
                        const std::filesystem::path& path) {
  const auto bytes = receive_content(source, frame, path);
  if (!bytes) return bytes.error();
  Cursor cursor(bytes_of(*bytes));
  const auto line = cursor.number<std::int32_t>();
  std::string message = bytes->substr(cursor.position());
  if (!line || message.empty()) {
    return broken(path, "damaged: the program that reads it does not say why");
  }
  return {std::move(message), {.file = path.string(), .line = *line}};
}

std::optional<TableDescription> unpack(std::string_view bytes) {
  Cursor cursor(bytes_of(bytes));
  TableDescription out;
  const auto rows = cursor.number<std::int64_t>();
  if (!rows || *rows < -1) return std::nullopt;
  out.rows = *rows;
  while (!cursor.at_end()) {
    const auto size = cursor.number<std::uint64_t>();
    const auto name = size ? cursor.take(*size) : std::nullopt;
    if (!name || out.columns.size() == kMostFrameColumns) return std::nullopt;
    out.columns.emplace_back(text_of(*name));
  }
  return out;
}

}  // namespace

std::string pack(const TableDescription& description) {
  std::string out;
  put<std::int64_t>(out, description.rows);
  for (const std::string& name : description.columns) {
    put<std::uint64_t>(out, name.size());
    out += name;
  }
  return out;
}

std::string pack(const ReadError& error) {
  std::string out;
  put<std::int32_t>(out, error.where.line);
  return out + error.message;
}

Result<TableDescription> receive_description(FrameSource& source,
                                             const std::filesystem::path& path) {
  const auto frame = receive_frame(source, path);
  if (!frame) return frame.error();
  if (frame->kind == FrameKind::Error) return receive_error(source, *frame, path);
  if (frame->kind != FrameKind::Description) {
    return broken(path, "damaged: its columns cannot be listed");
  }
  const auto bytes = receive_content(source, *frame, path);
  if (!bytes) return bytes.error();
  auto description = unpack(*bytes);
  if (!description) return broken(path, "damaged: its columns cannot be listed");
  return *std::move(description);
}

Status receive_rows(FrameSource& source, const std::filesystem::path& path, std::size_t width,
                    std::int64_t rows, const RowSink& sink) {
  std::vector<double> values;
  std::int64_t next = 0;
  while (true) {
    const auto frame = receive_frame(source, path);
    if (!frame) return frame.error();
    if (frame->kind == FrameKind::Error) return receive_error(source, *frame, path);
    if (frame->kind == FrameKind::Done) {
      if (frame->size == 0 && (rows < 0 || next == rows)) return std::monostate{};
      return broken(path, fmt::format("damaged: {} of its {} rows arrive", next, rows));
    }
    std::int64_t first = 0;
    const std::uint64_t row_bytes = sizeof(double) * width;
    if (frame->kind != FrameKind::Rows || frame->size < sizeof first + row_bytes ||
        (frame->size - sizeof first) % row_bytes != 0) {
      return broken(path, "damaged: its rows arrive in pieces");
    }
    values.clear();
    if (!source.receive(std::as_writable_bytes(std::span(&first, 1))) ||
        !receive_into(source, values, (frame->size - sizeof first) / sizeof(double))) {
      return broken(path, source.failure());
    }
    const auto count = static_cast<std::int64_t>(values.size() / width);
    if (first != next || (rows >= 0 && count > rows - next)) {
      return broken(path, "damaged: its rows arrive out of order");
    }
    next += count;
    if (auto status = sink(first, values); !status) return status;
  }
}

}  // namespace mase::io
