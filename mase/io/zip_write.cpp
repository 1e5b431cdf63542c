// Zip writer: stored members, data aligned by padding the local header's extra field as PyTorch
// does, zip64 records only where a size or an offset needs them.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "mase/io/zip.h"
#include "mase/support/error.h"

namespace mase::io {
namespace {

constexpr std::uint16_t kPlain = 20;     // version needed: 2.0
constexpr std::uint16_t kWide = 45;      // 4.5: zip64
constexpr std::uint16_t kUtf8 = 0x0800;  // names are UTF-8
constexpr std::uint16_t kNoTime = 0;
constexpr std::uint16_t kFirstDay = 0x0021;  // 1 January 1980: files do not depend on the clock

struct Placed {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
};

std::uint32_t narrow(std::uint64_t value, std::uint64_t zip64_from) {
  return value >= zip64_from ? 0xffffffffu : static_cast<std::uint32_t>(value);
}

std::string local_header(const std::string& name, const Placed& at, const ZipOptions& options) {
  const bool wide = at.size >= options.zip64_from;
  std::string extra;
  if (wide) {
    put<std::uint16_t>(extra, 1);
    put<std::uint16_t>(extra, 16);
    put<std::uint64_t>(extra, at.size);
    put<std::uint64_t>(extra, at.size);
  }
  // The padding is an extra block of its own ("FB", then letters), at least its 4-byte head.
  const std::uint64_t unpadded = at.offset + 30 + name.size() + extra.size() + 4;
  const std::uint64_t padding =
      (options.alignment - unpadded % options.alignment) % options.alignment;
  extra += "FB";
  put<std::uint16_t>(extra, static_cast<std::uint16_t>(padding));
  extra.append(static_cast<std::size_t>(padding), 'Z');

  std::string out;
  put<std::uint32_t>(out, 0x04034b50);
  put<std::uint16_t>(out, wide ? kWide : kPlain);
  put<std::uint16_t>(out, kUtf8);
  put<std::uint16_t>(out, 0);  // stored
  put<std::uint16_t>(out, kNoTime);
  put<std::uint16_t>(out, kFirstDay);
  put<std::uint32_t>(out, at.crc);
  put<std::uint32_t>(out, narrow(at.size, options.zip64_from));
  put<std::uint32_t>(out, narrow(at.size, options.zip64_from));
  put<std::uint16_t>(out, static_cast<std::uint16_t>(name.size()));
  put<std::uint16_t>(out, static_cast<std::uint16_t>(extra.size()));
  return out + name + extra;
}

std::string central_entry(const std::string& name, const Placed& at, const ZipOptions& options) {
  std::string wide;
  if (at.size >= options.zip64_from) {
    put<std::uint64_t>(wide, at.size);
    put<std::uint64_t>(wide, at.size);
  }
  if (at.offset >= options.zip64_from) put<std::uint64_t>(wide, at.offset);
  std::string extra;
  if (!wide.empty()) {
    put<std::uint16_t>(extra, 1);
    put<std::uint16_t>(extra, static_cast<std::uint16_t>(wide.size()));
    extra += wide;
  }
  const std::uint16_t version = extra.empty() ? kPlain : kWide;

  std::string out;
  put<std::uint32_t>(out, 0x02014b50);
  put<std::uint16_t>(out, version);
  put<std::uint16_t>(out, version);
  put<std::uint16_t>(out, kUtf8);
  put<std::uint16_t>(out, 0);
  put<std::uint16_t>(out, kNoTime);
  put<std::uint16_t>(out, kFirstDay);
  put<std::uint32_t>(out, at.crc);
  put<std::uint32_t>(out, narrow(at.size, options.zip64_from));
  put<std::uint32_t>(out, narrow(at.size, options.zip64_from));
  put<std::uint16_t>(out, static_cast<std::uint16_t>(name.size()));
  put<std::uint16_t>(out, static_cast<std::uint16_t>(extra.size()));
  put<std::uint16_t>(out, 0);  // comment
  put<std::uint16_t>(out, 0);  // disk
  put<std::uint16_t>(out, 0);  // internal attributes
  put<std::uint32_t>(out, 0);  // external attributes
  put<std::uint32_t>(out, narrow(at.offset, options.zip64_from));
  return out + name + extra;
}

std::string end_records(std::uint64_t start, std::uint64_t size, std::uint64_t count,
                        const ZipOptions& options) {
  std::string out;
  if (start >= options.zip64_from || size >= options.zip64_from || count >= 0xffff) {
    put<std::uint32_t>(out, 0x06064b50);
    put<std::uint64_t>(out, 44);  // of this record, after this field
    put<std::uint16_t>(out, kWide);
    put<std::uint16_t>(out, kWide);
    put<std::uint32_t>(out, 0);
    put<std::uint32_t>(out, 0);
    put<std::uint64_t>(out, count);
    put<std::uint64_t>(out, count);
    put<std::uint64_t>(out, size);
    put<std::uint64_t>(out, start);
    put<std::uint32_t>(out, 0x07064b50);
    put<std::uint32_t>(out, 0);
    put<std::uint64_t>(out, start + size);
    put<std::uint32_t>(out, 1);
  }
  const auto short_count = static_cast<std::uint16_t>(std::min<std::uint64_t>(count, 0xffff));
  put<std::uint32_t>(out, 0x06054b50);
  put<std::uint16_t>(out, 0);
  put<std::uint16_t>(out, 0);
  put<std::uint16_t>(out, short_count);
  put<std::uint16_t>(out, short_count);
  put<std::uint32_t>(out, narrow(size, options.zip64_from));
  put<std::uint32_t>(out, narrow(start, options.zip64_from));
  put<std::uint16_t>(out, 0);
  return out;
}

}  // namespace

void ZipWriter::add(std::string name, Bytes bytes) {
  if (name.size() > 0xffff) internal_error("the name of a zip member is too long");
  members_.emplace_back(std::move(name), std::move(bytes));
}

template <typename Sink>
void ZipWriter::emit(Sink&& sink) const {
  std::uint64_t offset = 0;
  std::string directory;
  for (const auto& [name, data] : members_) {
    const auto* raw = reinterpret_cast<const Bytef*>(data.bytes.data());
    const Placed at{.offset = offset,
                    .size = data.bytes.size(),
                    .crc = static_cast<std::uint32_t>(crc32_z(0, raw, data.bytes.size()))};
    const std::string header = local_header(name, at, options_);
    sink(std::string_view(header));
    sink(text_of(data.bytes));
    offset += header.size() + data.bytes.size();
    directory += central_entry(name, at, options_);
  }
  sink(std::string_view(directory));
  sink(std::string_view(end_records(offset, directory.size(), members_.size(), options_)));
}

void ZipWriter::write(const std::filesystem::path& path) const {
  AtomicFile file(path);
  emit([&](std::string_view part) { file.write(part); });
  file.commit();
}

std::string ZipWriter::to_string() const {
  std::string out;
  emit([&](std::string_view part) { out += part; });
  return out;
}

}  // namespace mase::io
