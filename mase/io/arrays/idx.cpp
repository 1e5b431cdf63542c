// IDX (Y. LeCun, "The MNIST database of handwritten digits"): two zero bytes, element type, number
// of dimensions, the dimensions as big-endian uint32, then the elements, big-endian.
#include "mase/io/arrays/idx.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>

#include "mase/io/bytes.h"

namespace mase::io {
namespace {

// Bytes of the elements: twice as many as the largest set of this kind (EMNIST by class) has.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
// Deflate yields at most 1032 bytes from one.
constexpr std::uint64_t kLargestGzipRatio = 1032;
constexpr std::size_t kMostDimensions = 8;
constexpr std::size_t kPiece = std::size_t{1} << 20;

struct CloseGz {
  void operator()(gzFile_s* file) const { gzclose(file); }
};
using GzFile = std::unique_ptr<gzFile_s, CloseGz>;

std::optional<ir::DType> element_type(std::uint8_t code) {
  switch (code) {
    case 0x08:
      return ir::DType::UInt8;
    case 0x09:
      return ir::DType::Int8;
    case 0x0b:
      return ir::DType::Int16;
    case 0x0c:
      return ir::DType::Int32;
    case 0x0d:
      return ir::DType::Float32;
    case 0x0e:
      return ir::DType::Float64;
    default:
      return std::nullopt;
  }
}

void swap_elements(std::byte* data, std::size_t bytes, std::size_t element) {
  if (element == 1) return;
  for (std::size_t i = 0; i + element <= bytes; i += element) {
    std::reverse(data + i, data + i + element);
  }
}

class Reader {
 public:
  // Takes the open file over.
  Reader(const std::filesystem::path& path, Descriptor file)
      : where_{.file = path.string()}, file_(gzdopen(file.get(), "rb")) {
    if (file_) file.release();
  }

  Result<ir::Tensor> read(std::uint64_t file_size);

 private:
  ReadError error(std::string message) const { return {std::move(message), where_}; }
  // Fills `to`, or says how much there was.
  Status fill(std::byte* to, std::size_t bytes, std::string_view what);
  Status expect_end();

  Location where_;
  GzFile file_;
};

Status Reader::fill(std::byte* to, std::size_t bytes, std::string_view what) {
  std::size_t done = 0;
  while (done < bytes) {
    const int got =
        gzread(file_.get(), to + done, static_cast<unsigned>(std::min(kPiece, bytes - done)));
    if (got < 0) {
      int code = 0;
      return error(fmt::format("damaged gzip data: {}", gzerror(file_.get(), &code)));
    }
    if (got == 0) return error(fmt::format("{}: {} of {} bytes", what, done, bytes));
    done += static_cast<std::size_t>(got);
  }
  return std::monostate{};
}

Status Reader::expect_end() {
  std::byte extra;
  const int got = gzread(file_.get(), &extra, 1);
  int code = 0;
  const char* message = gzerror(file_.get(), &code);
  if (got < 0 || code == Z_BUF_ERROR) return error(fmt::format("damaged gzip data: {}", message));
  if (got > 0) return error("holds more bytes than its header says");
  return std::monostate{};
}

Result<ir::Tensor> Reader::read(std::uint64_t file_size) {
  if (!file_) return error("cannot be opened");
  std::array<std::byte, 4> magic = {};
  if (auto status = fill(magic.data(), magic.size(), "truncated header"); !status) {
    return status.error();
  }
  const auto type = element_type(std::to_integer<std::uint8_t>(magic[2]));
  const auto dimensions = std::to_integer<std::size_t>(magic[3]);
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0} || !type || dimensions == 0 ||
      dimensions > kMostDimensions) {
    return error("not an IDX file");
  }
  ir::Shape shape;
  for (std::size_t i = 0; i < dimensions; ++i) {
    std::array<std::byte, 4> raw = {};
    if (auto status = fill(raw.data(), raw.size(), "truncated header"); !status) {
      return status.error();
    }
    std::int64_t size = 0;
    for (const std::byte b : raw) size = size << 8 | std::to_integer<std::int64_t>(b);
    shape.push_back(size);
  }
  const auto bytes = dense_bytes(shape, ir::size_of(*type));
  if (!bytes || *bytes > file_size * kLargestGzipRatio) {
    return error(fmt::format("its header claims {} elements, more than {} bytes can hold",
                             ir::text(shape), file_size));
  }
  if (*bytes > kMostBytes) {
    return error(
        fmt::format("holds {} bytes of elements; at most {} are read", *bytes, kMostBytes));
  }
  ir::Tensor out(shape, *type);
  if (auto status = fill(out.data_mut(), out.bytes(), "truncated"); !status) return status.error();
  if (auto status = expect_end(); !status) return status.error();
  swap_elements(out.data_mut(), out.bytes(), ir::size_of(*type));
  return out;
}

}  // namespace

Result<ir::Tensor> read_idx(const std::filesystem::path& path) {
  auto file = open_input(path);
  if (!file) return file.error();
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(path, code);
  if (code) return ReadError{"cannot be read: " + code.message(), {.file = path.string()}};
  return Reader(path, std::move(file).value()).read(size);
}

}  // namespace mase::io
