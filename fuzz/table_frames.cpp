// What a process that reads a table for us sends, after the library has done its worst to it: the
// first byte is the number of wanted columns, the second that of the rows (above 200: not known).
// Then come the frames of a description, and those of its rows.
#include "mase/io/tables/table_frames.h"

#include <algorithm>

#include "fuzz/harness.h"

namespace {

using namespace mase;

class Memory : public io::FrameSource {
 public:
  explicit Memory(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool receive(std::span<std::byte> to) override {
    if (to.size() > bytes_.size()) return false;
    std::copy_n(bytes_.begin(), to.size(), to.begin());
    bytes_ = bytes_.subspan(to.size());
    return true;
  }
  std::string failure() const override { return "no more comes"; }
  std::size_t left() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return;
  const auto width = std::to_integer<std::size_t>(bytes[0]) % 16 + 1;
  const auto rows = std::to_integer<std::int64_t>(bytes[1]);
  Memory source(bytes.subspan(2));
  const auto description = io::receive_description(source, "table");
  if (description) {
    const std::size_t used = bytes.size() - 2 - source.left();
    fuzz::require(description->rows >= -1, "rows, or that they are not known");
    fuzz::require(io::pack(*description).size() + sizeof(io::Frame) == used, "all of it arrives");
  } else {
    fuzz::require(!description.error().message.empty(), "an error says what is wrong");
  }
  const std::int64_t known = rows > 200 ? -1 : rows;
  std::int64_t next = 0;
  const auto status = io::receive_rows(
      source, "table", width, known, [&](std::int64_t first, std::span<const double> values) {
        fuzz::require(first == next, "rows in order");
        fuzz::require(!values.empty() && values.size() % width == 0, "whole rows");
        next += static_cast<std::int64_t>(values.size() / width);
        return Status(std::monostate{});
      });
  fuzz::require(known < 0 || next <= known, "no more rows than there are");
  fuzz::require(!status.ok() || known < 0 || next == known, "all rows arrive");
  fuzz::require(status.ok() || !status.error().message.empty(), "an error says what is wrong");
}
