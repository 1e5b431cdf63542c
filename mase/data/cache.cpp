// Entries are flat binary files: a header of one page, then the four arrays, each on a page
// boundary, as they lie in memory. An entry is read into memory of the run's own, not mapped: what
// was checked against its checksum can then no longer change, and an entry that somebody cuts off
// while it is in use ends nobody (reading a mapped file beyond its end is SIGBUS).
#include "mase/data/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <set>

#include "mase/support/files.h"
#include "mase/support/sha256.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;
constexpr std::array<char, 8> kMagic = {'M', 'A', 'S', 'E', 'r', 'o', 'w', 's'};
constexpr std::uint32_t kLayout = 1;

struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t layout = kLayout;
  std::uint32_t preparation = kPreparationVersion;
  std::array<char, 64> source_hash = {};
  std::int64_t features = 0;
  std::int64_t train_rows = 0;
  std::int64_t test_rows = 0;
  std::int64_t rows_read = 0;
  std::int64_t duplicates = 0;
  std::array<std::uint64_t, 4> arrays = {};  // checksum of each
  std::uint64_t own = 0;                     // checksum of the fields above
};

// Four independent lanes, so that checking costs less than reading memory does.
std::uint64_t checksum(std::span<const std::byte> bytes) {
  std::array<std::uint64_t, 4> lanes = {1, 2, 3, 4};
  std::array<std::uint64_t, 4> words = {};
  const auto mix = [&] {
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      lanes[i] = std::rotl((lanes[i] ^ words[i]) * 0x9e3779b97f4a7c15ull, 29);
    }
  };
  const std::size_t size = bytes.size();
  for (; bytes.size() >= sizeof words; bytes = bytes.subspan(sizeof words)) {
    std::memcpy(words.data(), bytes.data(), sizeof words);
    mix();
  }
  words = {};
  if (!bytes.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  mix();
  words = {size};
  mix();
  return lanes[0] ^ std::rotl(lanes[1], 17) ^ std::rotl(lanes[2], 31) ^ std::rotl(lanes[3], 47);
}

std::uint64_t checksum_of(const Header& header) {
  return checksum(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, own)));
}

// Where the arrays begin: training features and labels, test features and labels.
struct Places {
  std::array<std::uint64_t, 4> first = {};
  std::array<std::uint64_t, 4> bytes = {};
  std::uint64_t end = kPage;
};

Places places_of(const Header& h) {
  Places out;
  const auto features = static_cast<std::uint64_t>(h.features) * sizeof(float);
  const auto train = static_cast<std::uint64_t>(h.train_rows);
  const auto test = static_cast<std::uint64_t>(h.test_rows);
  out.bytes = {train * features, train * sizeof(std::int64_t), test * features,
               test * sizeof(std::int64_t)};
  for (std::size_t i = 0; i < out.first.size(); ++i) {
    out.first[i] = out.end;
    out.end += (out.bytes[i] + kPage - 1) / kPage * kPage;
  }
  return out;
}

// Whether the sizes are possible at all, before anything is computed from them.
bool plausible(const Header& h) {
  constexpr std::int64_t kMost = std::int64_t{1} << 32;
  return h.features >= 1 && h.features <= 4096 && h.train_rows >= 1 && h.train_rows <= kMost &&
         h.test_rows >= 1 && h.test_rows <= kMost;
}

// An open file that is closed on leaving. Nothing but a regular file is opened for good, so that a
// pipe of that name stops nobody.
class EntryFile {
 public:
  explicit EntryFile(const fs::path& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat s = {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &s) != 0 || !S_ISREG(s.st_mode)) return;
    size_ = static_cast<std::uint64_t>(s.st_size);
  }
  ~EntryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  EntryFile(const EntryFile&) = delete;
  EntryFile& operator=(const EntryFile&) = delete;

  std::uint64_t size() const { return size_; }  // 0 if there is no such file

  // Fills `to` from the place `at`. False if the file is shorter by now or cannot be read.
  bool read(std::uint64_t at, std::span<std::byte> to) const {
    while (!to.empty()) {
      const ssize_t n = ::pread(descriptor_, to.data(), to.size(), static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      at += static_cast<std::uint64_t>(n);
      to = to.subspan(static_cast<std::size_t>(n));
    }
    return true;
  }

 private:
  int descriptor_;
  std::uint64_t size_ = 0;
};

// Memory for the arrays, which begin at multiples of a page as they do in the file; null if there
// is not enough.
std::shared_ptr<std::byte> page_aligned(std::uint64_t bytes) {
  return {static_cast<std::byte*>(std::aligned_alloc(kPage, static_cast<std::size_t>(bytes))),
          std::free};
}

std::span<const std::byte> bytes_of(const ir::Tensor& tensor) {
  return {tensor.data(), tensor.bytes()};
}

// What changes when a file does, as a line of text; empty if the file is not there.
std::string fingerprint(const fs::path& file) {
  struct stat s = {};
  if (::stat(file.c_str(), &s) != 0) return {};
  return fmt::format("{} {} {} {}.{:09} {}.{:09}", s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec,
                     s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
}

bool just_changed(const fs::path& file) {
  constexpr std::int64_t kMoment = 100'000'000;  // ns; file systems keep time in steps of some ms
  struct stat s = {};
  struct timespec now = {};
  if (::stat(file.c_str(), &s) != 0 || ::clock_gettime(CLOCK_REALTIME, &now) != 0) return true;
  return (now.tv_sec - s.st_ctim.tv_sec) * 1'000'000'000 + now.tv_nsec - s.st_ctim.tv_nsec <
         kMoment;
}

std::string text_hash(std::string_view text) {
  return sha256(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace

bool told_before(const fs::path& folder, std::string_view what) {
  if (folder.empty()) return false;
  const fs::path mark = folder / "told" / what;
  std::error_code code;
  if (fs::exists(mark, code)) return true;
  try {
    write_file(mark, "");
  } catch (const Error&) {
    // It is told again then.
  }
  return false;
}

PreparedCache::PreparedCache(fs::path folder, LogSink log)
    : folder_(std::move(folder)), log_(std::move(log)) {}

fs::path PreparedCache::entry(std::string_view data_set, const std::string& hash) const {
  return folder_ / "prepared" /
         fmt::format("{}-{}-v{}.bin", data_set, hash.substr(0, 32), kPreparationVersion);
}

void PreparedCache::write_or_tell(const std::function<void()>& write) const {
  try {
    write();
  } catch (const Error& error) {
    static std::mutex mutex;
    static std::set<fs::path> told;
    const std::scoped_lock lock(mutex);
    if (told.insert(folder_).second && log_) {
      log_(LogLevel::Warning,
           fmt::format("prepared data is not kept for the next run: {}", error.text()));
    }
  }
}

std::string PreparedCache::hash_of(const fs::path& file) const {
  if (folder_.empty()) return sha256_file(file).or_throw();
  std::error_code code;
  const fs::path absolute = fs::weakly_canonical(file, code);
  const fs::path note = folder_ / "sources" / (text_hash(absolute.native()).substr(0, 32) + ".txt");
  const std::string key = absolute.string() + "\n" + fingerprint(file) + "\n";
  if (const auto text = read_file(note, 1 << 16);
      text && text->starts_with(key) && text->size() == key.size() + 64 + 1) {
    return text->substr(key.size(), 64);
  }
  std::string hash = sha256_file(file).or_throw();
  // A file changed a moment ago may change again without its times showing it.
  if (!just_changed(file)) write_or_tell([&] { write_file(note, key + hash + "\n"); });
  return hash;
}

std::optional<Prepared> PreparedCache::load(std::string_view data_set,
                                            const std::string& hash) const {
  if (folder_.empty()) return std::nullopt;
  const EntryFile file(entry(data_set, hash));
  Header h;
  if (!file.read(0, std::as_writable_bytes(std::span(&h, 1)))) return std::nullopt;
  if (h.magic != kMagic || h.layout != kLayout || h.preparation != kPreparationVersion ||
      std::string_view(h.source_hash.data(), h.source_hash.size()) != hash ||
      h.own != checksum_of(h) || !plausible(h)) {
    return std::nullopt;
  }
  const Places places = places_of(h);
  if (places.end != file.size()) return std::nullopt;
  const std::shared_ptr<std::byte> owner = page_aligned(places.end - kPage);
  if (!owner) return std::nullopt;
  const std::span bytes(owner.get(), static_cast<std::size_t>(places.end - kPage));
  if (!file.read(kPage, bytes)) return std::nullopt;
  const auto array = [&](std::size_t i) {
    return bytes.subspan(static_cast<std::size_t>(places.first[i] - kPage),
                         static_cast<std::size_t>(places.bytes[i]));
  };
  for (std::size_t i = 0; i < h.arrays.size(); ++i) {
    if (checksum(array(i)) != h.arrays[i]) return std::nullopt;
  }
  const auto split = [&](std::size_t i, std::int64_t rows) {
    return Split{ir::Tensor::view({rows, h.features}, ir::DType::Float32, array(i).data(), owner),
                 ir::Tensor::view({rows}, ir::DType::Int64, array(i + 1).data(), owner)};
  };
  return Prepared{.train = split(0, h.train_rows),
                  .test = split(2, h.test_rows),
                  .rows_read = h.rows_read,
                  .duplicates = h.duplicates};
}

void PreparedCache::store(std::string_view data_set, const std::string& hash,
                          const Prepared& rows) const {
  if (folder_.empty()) return;
  Header h{.features = rows.train.features.dim(1),
           .train_rows = rows.train.rows(),
           .test_rows = rows.test.rows(),
           .rows_read = rows.rows_read,
           .duplicates = rows.duplicates};
  std::copy_n(hash.begin(), std::min(hash.size(), h.source_hash.size()), h.source_hash.begin());
  const std::array arrays = {bytes_of(rows.train.features), bytes_of(rows.train.labels),
                             bytes_of(rows.test.features), bytes_of(rows.test.labels)};
  for (std::size_t i = 0; i < arrays.size(); ++i) h.arrays[i] = checksum(arrays[i]);
  h.own = checksum_of(h);
  // Pipes are written where they stand, which could wait for ever for a reader.
  const fs::path path = entry(data_set, hash);
  std::error_code code;
  if (const auto there = fs::symlink_status(path, code);
      fs::exists(there) && !fs::is_regular_file(there)) {
    fs::remove(path, code);
  }
  write_or_tell([&] {
    AtomicFile file(path);
    std::uint64_t written = 0;
    // In pieces: the file keeps what it is given until it is written.
    const auto write = [&](std::span<const std::byte> bytes) {
      constexpr std::size_t kPiece = std::size_t{1} << 18;
      for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
        file.write(bytes.subspan(at, std::min(kPiece, bytes.size() - at)));
      }
      written += bytes.size();
    };
    const auto fill_page = [&] {
      static constexpr std::array<std::byte, kPage> kZeros = {};
      write(std::span(kZeros).first((kPage - written % kPage) % kPage));
    };
    write(std::as_bytes(std::span(&h, 1)));
    fill_page();
    for (const auto& array : arrays) {
      write(array);
      fill_page();
    }
    file.commit();
  });
}

}  // namespace mase::data
