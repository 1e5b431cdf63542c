#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "mase/io/tables/table.h"

// What the process that reads an isolated table (isolated_table.h) tells its parent: frames of a
// kind, a length and so many bytes. The parent trusts none of it, as the library that works there
// may have damaged the memory of that process.
namespace mase::io {

inline constexpr std::uint64_t kLargestFrame = std::uint64_t{64} << 20;
inline constexpr std::size_t kMostFrameColumns = 65'536;

enum class FrameKind : std::uint64_t {
  Description,  // int64 rows, then for each column uint64 length and its name
  Rows,         // int64 first row, then float64 [n, wanted columns]
  Done,         // empty: all rows have been sent
  Error,        // int32 line, then the message
};

struct Frame {
  FrameKind kind = FrameKind::Done;
  std::uint64_t size = 0;
};

struct TableDescription {
  std::int64_t rows = -1;  // -1 where only reading tells
  std::vector<std::string> columns;
};

std::string pack(const TableDescription& description);
std::string pack(const ReadError& error);

// Where frames come from.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  // Fills `to`. False where no more bytes come: failure() then says why.
  virtual bool receive(std::span<std::byte> to) = 0;
  virtual std::string failure() const = 0;
};

// The answer to the question what is there; `path` is for messages. Takes no more memory than
// bytes arrive, plus 1 MiB.
Result<TableDescription> receive_description(FrameSource& source,
                                             const std::filesystem::path& path);
// The answer to the question for rows of `width` wanted columns: whole rows, in their order, as
// many as the table was said to have.
Status receive_rows(FrameSource& source, const std::filesystem::path& path, std::size_t width,
                    std::int64_t rows, const RowSink& sink);

}  // namespace mase::io
