// Zip reader (PKWARE APPNOTE 6.3): end record, optional zip64 records, central directory, members.
// Sizes come from the central directory; of a local header only the lengths before the data count.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "mase/io/zip.h"

namespace mase::io {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50;
constexpr std::uint32_t kCentral = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kEnd64Locator = 0x07064b50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kCentralSize = 46;
constexpr std::size_t kLocalSize = 30;
constexpr std::uint16_t kExtra64 = 1;
constexpr std::uint32_t kIn64 = 0xffffffff;
// Deflate cannot shrink more than this; a larger claim is a lie about the size.
constexpr std::uint64_t kMaxRatio = 1032;

template <typename T>
T get(std::span<const std::byte> bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t count = 0;
};

// The end record is the last one whose comment reaches exactly to the end of the file.
std::optional<std::size_t> find_end(std::span<const std::byte> bytes) {
  if (bytes.size() < kEndSize) return std::nullopt;
  const std::size_t last = bytes.size() - kEndSize;
  const std::size_t first = last > 0xffff ? last - 0xffff : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    if (get<std::uint32_t>(bytes, at) != kEnd) continue;
    if (get<std::uint16_t>(bytes, at + 20) == last - at) return at;
  }
  return std::nullopt;
}

std::optional<Directory> find_directory(std::span<const std::byte> bytes, std::size_t end) {
  Directory out{.offset = get<std::uint32_t>(bytes, end + 16),
                .size = get<std::uint32_t>(bytes, end + 12),
                .count = get<std::uint16_t>(bytes, end + 10)};
  const bool in64 = out.offset == kIn64 || out.size == kIn64 || out.count == 0xffff;
  constexpr std::size_t kLocatorSize = 20;
  constexpr std::size_t kEnd64Size = 56;
  if (end >= kLocatorSize && get<std::uint32_t>(bytes, end - kLocatorSize) == kEnd64Locator) {
    const auto at = get<std::uint64_t>(bytes, end - kLocatorSize + 8);
    if (at > end || end - at < kEnd64Size) return std::nullopt;
    const auto record = bytes.subspan(static_cast<std::size_t>(at));
    if (get<std::uint32_t>(record, 0) != kEnd64) return std::nullopt;
    out = {.offset = get<std::uint64_t>(record, 48),
           .size = get<std::uint64_t>(record, 40),
           .count = get<std::uint64_t>(record, 32)};
  } else if (in64) {
    return std::nullopt;
  }
  if (out.offset > end || out.size > end - out.offset) return std::nullopt;
  if (out.count > out.size / kCentralSize) return std::nullopt;
  return out;
}

// Fields that did not fit 32 bits stand in the zip64 extra block, in this order.
bool widen(std::span<const std::byte> extra, std::uint64_t& size, std::uint64_t& compressed,
           std::uint64_t& offset) {
  if (size != kIn64 && compressed != kIn64 && offset != kIn64) return true;
  Cursor blocks(extra);
  for (;;) {
    const auto id = blocks.number<std::uint16_t>();
    const auto length = blocks.number<std::uint16_t>();
    if (!id || !length) return false;
    const auto body = blocks.take(*length);
    if (!body) return false;
    if (*id != kExtra64) continue;
    Cursor fields(*body);
    for (std::uint64_t* field : {&size, &compressed, &offset}) {
      if (*field != kIn64) continue;
      const auto wide = fields.number<std::uint64_t>();
      if (!wide) return false;
      *field = *wide;
    }
    return true;
  }
}

std::uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// The first `count` of the `size` bytes that a member claims to have. Grows with what really comes
// out, so a false size costs nothing.
std::optional<std::string> inflate(std::span<const std::byte> packed, std::uint64_t size,
                                   std::uint64_t count) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return std::nullopt;
  const std::unique_ptr<z_stream, int (*)(z_stream*)> cleanup(&stream, inflateEnd);
  constexpr std::size_t kStep = std::size_t{1} << 20;
  constexpr std::size_t kMostIn = std::numeric_limits<uInt>::max();
  std::string out;
  for (int state = Z_OK; state != Z_STREAM_END;) {
    if (count < size && out.size() == count) return out;
    if (stream.avail_in == 0 && !packed.empty()) {
      const std::size_t now = std::min(packed.size(), kMostIn);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
      stream.avail_in = static_cast<uInt>(now);
      packed = packed.subspan(now);
    }
    const std::size_t before = out.size();
    // One byte more than declared, so that too long a member shows.
    const std::uint64_t end = count < size ? count : size + 1;
    const std::size_t room = static_cast<std::size_t>(std::min<std::uint64_t>(kStep, end - before));
    out.resize(before + room);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(room);
    state = ::inflate(&stream, Z_NO_FLUSH);
    out.resize(before + room - stream.avail_out);
    if (state != Z_OK && state != Z_STREAM_END) return std::nullopt;
    if (out.size() > size) return std::nullopt;
  }
  if (out.size() != size) return std::nullopt;
  return out;
}

}  // namespace

std::uint64_t honest_size(const ZipEntry& entry) {
  constexpr std::uint64_t kFloor = std::uint64_t{1} << 24;
  constexpr std::uint64_t kRatio = 16;
  return std::max(kFloor, entry.compressed_size * kRatio);
}

bool looks_like_zip(std::span<const std::byte> bytes) {
  if (bytes.size() < 4) return false;
  const auto magic = get<std::uint32_t>(bytes, 0);
  return magic == kLocal || magic == kEnd;
}

Result<ZipReader> ZipReader::open(const std::filesystem::path& path) {
  auto file = load_file(path);
  if (!file) return file.error();
  return parse(*std::move(file), path.string());
}

Result<ZipReader> ZipReader::parse(Bytes archive, std::string file_name) {
  const Location where{.file = file_name};
  const auto bytes = archive.bytes;
  const auto end = find_end(bytes);
  if (!end) {
    return ReadError{"not a whole zip archive: its end record is missing (cut off?)", where};
  }
  const auto directory = find_directory(bytes, *end);
  if (!directory) return ReadError{"damaged zip archive: its directory is out of place", where};

  ZipReader out;
  Cursor cursor(bytes.subspan(static_cast<std::size_t>(directory->offset),
                              static_cast<std::size_t>(directory->size)));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;  // first byte, one past the last
  for (std::uint64_t i = 0; i < directory->count; ++i) {
    const auto damaged = [&](std::string_view what) {
      return ReadError{fmt::format("damaged zip archive: member {} {}", i, what), where};
    };
    const auto head = cursor.take(kCentralSize);
    if (!head || get<std::uint32_t>(*head, 0) != kCentral) return damaged("has no entry");
    ZipEntry entry{.method = get<std::uint16_t>(*head, 10),
                   .crc = get<std::uint32_t>(*head, 16),
                   .compressed_size = get<std::uint32_t>(*head, 20),
                   .size = get<std::uint32_t>(*head, 24)};
    std::uint64_t local = get<std::uint32_t>(*head, 42);
    const auto name = cursor.take(get<std::uint16_t>(*head, 28));
    if (!name) return damaged("has a cut-off name");
    entry.name = text_of(*name);
    const auto extra = cursor.take(get<std::uint16_t>(*head, 30));
    if (!extra || !cursor.take(get<std::uint16_t>(*head, 32))) return damaged("is cut off");
    if (!widen(*extra, entry.size, entry.compressed_size, local)) {
      return damaged("lacks its 64-bit sizes");
    }
    if ((get<std::uint16_t>(*head, 8) & 1) != 0) return damaged("is encrypted");

    if (local > bytes.size() || bytes.size() - local < kLocalSize) return damaged("lies outside");
    const auto local_head = bytes.subspan(static_cast<std::size_t>(local));
    if (get<std::uint32_t>(local_head, 0) != kLocal) return damaged("has no local header");
    entry.data_offset = local + kLocalSize + get<std::uint16_t>(local_head, 26) +
                        get<std::uint16_t>(local_head, 28);
    if (entry.data_offset > directory->offset ||
        entry.compressed_size > directory->offset - entry.data_offset) {
      return damaged(fmt::format("'{}' lies outside", entry.name));
    }
    extents.emplace_back(local, entry.data_offset + entry.compressed_size);
    out.places_.emplace(entry.name, out.entries_.size());
    out.entries_.push_back(std::move(entry));
  }
  // Overlapping members would let a small archive unpack to any size.
  std::sort(extents.begin(), extents.end());
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].first < extents[i - 1].second) {
      return ReadError{"damaged zip archive: members overlap", where};
    }
  }
  out.archive_ = std::move(archive);
  out.file_name_ = std::move(file_name);
  return out;
}

const ZipEntry* ZipReader::find(std::string_view name) const {
  const auto at = places_.find(std::string(name));
  return at == places_.end() ? nullptr : &entries_[at->second];
}

Result<Bytes> ZipReader::read(std::string_view name, std::uint64_t most) const {
  const ZipEntry* entry = find(name);
  if (!entry) return ReadError{fmt::format("no '{}' in the archive", name), {.file = file_name_}};
  return read(*entry, most);
}

Result<Bytes> ZipReader::read(const ZipEntry& entry, std::uint64_t most) const {
  if (entry.size > most) {
    return ReadError{fmt::format("'{}' in the archive unpacks to {} bytes, of which at most {} are "
                                 "read",
                                 entry.name, entry.size, most),
                     {.file = file_name_}};
  }
  return unpack(entry, entry.size);
}

Result<Bytes> ZipReader::start(const ZipEntry& entry, std::uint64_t count) const {
  return unpack(entry, std::min(count, entry.size));
}

Result<Bytes> ZipReader::unpack(const ZipEntry& entry, std::uint64_t count) const {
  const auto damaged = [&](std::string_view what) {
    return ReadError{fmt::format("'{}' in the archive {}", entry.name, what), {.file = file_name_}};
  };
  const auto packed = archive_.bytes.subspan(static_cast<std::size_t>(entry.data_offset),
                                             static_cast<std::size_t>(entry.compressed_size));
  Bytes out;
  if (entry.method == 0) {
    if (entry.size != entry.compressed_size) return damaged("has contradictory sizes");
    out = {packed, archive_.owner};
  } else if (entry.method == 8) {
    if (entry.size / kMaxRatio > entry.compressed_size) {
      return damaged("claims more bytes than it can hold");
    }
    auto unpacked = inflate(packed, entry.size, count);
    if (!unpacked) return damaged("does not unpack");
    out = own(*std::move(unpacked));
  } else {
    return damaged(
        fmt::format("is packed by method {}; only stored and deflated are read", entry.method));
  }
  if (count < entry.size) {
    out.bytes = out.bytes.first(static_cast<std::size_t>(count));
    return out;
  }
  // PyTorch writes 0 where it was told not to compute checksums.
  if (entry.crc != 0 && crc_of(out.bytes) != entry.crc)
    return damaged("is damaged (its checksum differs)");
  return out;
}

}  // namespace mase::io
