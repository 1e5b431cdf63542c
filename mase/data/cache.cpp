// Entries are flat binary files (cache_entry.h). An entry is read into memory of the run's own, not
// mapped: what was checked against its checksum can then no longer change, and an entry that
// somebody cuts off while it is in use ends nobody (reading a mapped file beyond its end is
// SIGBUS).
#include "mase/data/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <set>

#include "mase/data/cache_entry.h"
#include "mase/support/files.h"
#include "mase/support/sha256.h"

namespace mase::data {
namespace {

namespace fs = std::filesystem;

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
  return {static_cast<std::byte*>(std::aligned_alloc(kEntryPage, static_cast<std::size_t>(bytes))),
          std::free};
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
  EntryHeader header;
  if (!file.read(0, std::as_writable_bytes(std::span(&header, 1)))) return std::nullopt;
  const auto places = places_of(header, hash);
  if (!places || places->end != file.size()) return std::nullopt;
  const std::uint64_t size = places->end - kEntryPage;
  const std::shared_ptr<std::byte> arrays = page_aligned(size);
  if (!arrays) return std::nullopt;
  const std::span bytes(arrays.get(), static_cast<std::size_t>(size));
  if (!file.read(kEntryPage, bytes)) return std::nullopt;
  return rows_of(header, *places, arrays);
}

void PreparedCache::store(std::string_view data_set, const std::string& hash,
                          const Prepared& rows) const {
  if (folder_.empty()) return;
  const EntryHeader header = header_of(rows, hash);
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
      static constexpr std::array<std::byte, kEntryPage> kZeros = {};
      write(std::span(kZeros).first((kEntryPage - written % kEntryPage) % kEntryPage));
    };
    write(std::as_bytes(std::span(&header, 1)));
    fill_page();
    for (const auto& array : arrays_of(rows)) {
      write(array);
      fill_page();
    }
    file.commit();
  });
}

}  // namespace mase::data
