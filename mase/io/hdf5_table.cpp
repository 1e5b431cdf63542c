// Compound datasets of HDF5 files in pieces of whole chunks. The library decodes each wanted member
// into the machine's own representation of its type; widening to double is done here.
#include "mase/io/hdf5_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <utility>

#include "mase/io/hdf5_lzf.h"

namespace mase::io {
namespace {

constexpr std::int64_t kPieceBytes = std::int64_t{4} << 20;
constexpr std::uint64_t kLargestChunk = std::uint64_t{1} << 30;
// Deflate yields at most 1032 bytes from one; room for what the file holds besides.
constexpr std::uint64_t kLargestFilterRatio = 1032;
constexpr std::uint64_t kSlack = 1 << 16;

// The library keeps global state and is built without locks.
std::recursive_mutex& library_lock() {
  static std::recursive_mutex mutex;
  return mutex;
}

// An open object of the library, closed on leaving.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }

  bool ok() const { return id_ >= 0; }
  hid_t id() const { return id_; }
  void reset() {
    if (id_ >= 0) close_(id_);
    id_ = H5I_INVALID_HID;
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  herr_t (*close_)(hid_t) = nullptr;
};

Handle type_handle(hid_t id) {
  return {id, H5Tclose};
}

// Stops the library from printing its error stack while it lives.
class Silence {
 public:
  Silence() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Silence() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

// The innermost reason the library gives: ": truncated file", or "".
std::string library_reason() {
  std::string reason;
  const auto visit = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    auto& text = *static_cast<std::string*>(out);
    if (text.empty() && error->desc != nullptr) text = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, visit, &reason);
  return reason.empty() ? "" : ": " + reason;
}

// How a member's native representation widens to double.
enum class Native { None, I8, U8, I16, U16, I32, U32, I64, U64, F32, F64, LongDouble };

Native native_kind(hid_t type) {
  const std::size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      if (size == sizeof(float)) return Native::F32;
      if (size == sizeof(double)) return Native::F64;
      return size == sizeof(long double) ? Native::LongDouble : Native::None;
    case H5T_ENUM: {
      const Handle base = type_handle(H5Tget_super(type));
      return base.ok() ? native_kind(base.id()) : Native::None;
    }
    case H5T_INTEGER: {
      const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
      if (size == 1) return is_signed ? Native::I8 : Native::U8;
      if (size == 2) return is_signed ? Native::I16 : Native::U16;
      if (size == 4) return is_signed ? Native::I32 : Native::U32;
      if (size == 8) return is_signed ? Native::I64 : Native::U64;
      return Native::None;
    }
    default:
      return Native::None;
  }
}

template <typename T>
void widen_as(const std::byte* from, std::size_t step, double* to, std::size_t to_step,
              std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, from += step, to += to_step) {
    T value;
    std::memcpy(&value, from, sizeof value);
    *to = static_cast<double>(value);
  }
}

void widen(Native kind, const std::byte* from, std::size_t step, double* to, std::size_t to_step,
           std::size_t count) {
  switch (kind) {
    case Native::I8:
      return widen_as<std::int8_t>(from, step, to, to_step, count);
    case Native::U8:
      return widen_as<std::uint8_t>(from, step, to, to_step, count);
    case Native::I16:
      return widen_as<std::int16_t>(from, step, to, to_step, count);
    case Native::U16:
      return widen_as<std::uint16_t>(from, step, to, to_step, count);
    case Native::I32:
      return widen_as<std::int32_t>(from, step, to, to_step, count);
    case Native::U32:
      return widen_as<std::uint32_t>(from, step, to, to_step, count);
    case Native::I64:
      return widen_as<std::int64_t>(from, step, to, to_step, count);
    case Native::U64:
      return widen_as<std::uint64_t>(from, step, to, to_step, count);
    case Native::F32:
      return widen_as<float>(from, step, to, to_step, count);
    case Native::F64:
      return widen_as<double>(from, step, to, to_step, count);
    case Native::LongDouble:
      return widen_as<long double>(from, step, to, to_step, count);
    case Native::None:
      return;
  }
}

bool is_compound_list(hid_t dataset) {
  const Handle type = type_handle(H5Dget_type(dataset));
  const Handle space(H5Dget_space(dataset), H5Sclose);
  return type.ok() && space.ok() && H5Tget_class(type.id()) == H5T_COMPOUND &&
         H5Sget_simple_extent_ndims(space.id()) == 1;
}

// Follows hard links only: soft and external links of a foreign file may lead anywhere.
Handle open_hard_linked(hid_t file, const char* name) {
  H5L_info_t link = {};
  if (H5Lexists(file, name, H5P_DEFAULT) <= 0) return {};
  if (H5Lget_info(file, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD) return {};
  return {H5Dopen2(file, name, H5P_DEFAULT), H5Dclose};
}

struct Member {
  std::string name;
  Handle native;  // the machine's representation of the member's type
  Native kind = Native::None;
};

class Hdf5Table : public Table {
 public:
  explicit Hdf5Table(const std::filesystem::path& path) : Table(path) {}
  ~Hdf5Table() override {
    const std::scoped_lock lock(library_lock());
    const Silence silence;
    members_.clear();
    dataset_.reset();
    file_.reset();
  }

  Status open(std::string_view preferred);
  Status read(std::span<const std::size_t> wanted, const RowSink& sink) override;

 private:
  Status open_dataset(std::string_view preferred);
  Status check_storage(std::uint64_t file_size);
  Status check_filters(hid_t creation);
  Status read_members();
  ReadError failed(std::string_view doing) const {
    return error(fmt::format("cannot {}{}", doing, library_reason()));
  }

  Handle file_;
  Handle dataset_;
  std::vector<Member> members_;
  std::int64_t chunk_rows_ = 1;
};

Status Hdf5Table::open(std::string_view preferred) {
  const std::scoped_lock lock(library_lock());
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(path_, code);
  if (code) return error("cannot be read: " + code.message());
  if (!is_hdf5(path_)) return error("not an HDF5 file");
  const Silence silence;
  if (!register_lzf_filter()) return failed("register the LZF filter");

  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // A lock on a read-only file system or a second reader must not stop us.
  H5Pset_file_locking(access.id(), false, true);
  file_ = {H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose};
  if (!file_.ok()) return failed("open the HDF5 file");
  if (auto status = open_dataset(preferred); !status) return status;
  if (auto status = check_storage(size); !status) return status;
  return read_members();
}

Status Hdf5Table::open_dataset(std::string_view preferred) {
  if (!preferred.empty()) {
    dataset_ = open_hard_linked(file_.id(), std::string(preferred).c_str());
    if (dataset_.ok() && is_compound_list(dataset_.id())) return std::monostate{};
  }
  H5G_info_t group = {};
  if (H5Gget_info(file_.id(), &group) < 0) return failed("list the file");
  std::vector<std::string> found;
  for (hsize_t i = 0; i < group.nlinks; ++i) {
    std::array<char, 1024> name = {};
    if (H5Lget_name_by_idx(file_.id(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(),
                           H5P_DEFAULT) < 0) {
      return failed("list the file");
    }
    Handle candidate = open_hard_linked(file_.id(), name.data());
    if (!candidate.ok() || !is_compound_list(candidate.id())) continue;
    found.emplace_back(name.data());
    dataset_ = std::move(candidate);
  }
  if (found.size() == 1) return std::monostate{};
  if (found.empty()) {
    return error("holds no table (a one-dimensional dataset of a compound type)");
  }
  return error(preferred.empty() ? fmt::format("holds several tables: {}", fmt::join(found, ", "))
                                 : fmt::format("holds several tables ({}), none of them called {}",
                                               fmt::join(found, ", "), preferred));
}

// All sizes that the file claims must be possible for a file of its length.
Status Hdf5Table::check_storage(std::uint64_t file_size) {
  const Handle space(H5Dget_space(dataset_.id()), H5Sclose);
  const Handle type = type_handle(H5Dget_type(dataset_.id()));
  const Handle creation(H5Dget_create_plist(dataset_.id()), H5Pclose);
  hsize_t rows = 0;
  if (!space.ok() || !type.ok() || !creation.ok() ||
      H5Sget_simple_extent_dims(space.id(), &rows, nullptr) != 1) {
    return failed("read the table's description");
  }
  if (H5Pget_external_count(creation.id()) != 0) {
    return error("keeps its rows in other files, which is not supported");
  }
  if (auto status = check_filters(creation.id()); !status) return status;

  const std::uint64_t row_bytes = H5Tget_size(type.id());
  std::uint64_t ratio = 1;
  switch (H5Pget_layout(creation.id())) {
    case H5D_COMPACT:
    case H5D_CONTIGUOUS:
      break;
    case H5D_CHUNKED: {
      hsize_t chunk = 0;
      if (H5Pget_chunk(creation.id(), 1, &chunk) != 1) return failed("read the chunk size");
      if (H5Pget_nfilters(creation.id()) > 0) ratio = kLargestFilterRatio;
      if (chunk == 0 || row_bytes == 0 || chunk > kLargestChunk / row_bytes) {
        return error(fmt::format("has chunks of {} rows of {} bytes, more than can be read at once",
                                 chunk, row_bytes));
      }
      chunk_rows_ = static_cast<std::int64_t>(chunk);
      break;
    }
    default:
      return error("has a storage layout that is not supported (virtual dataset)");
  }
  const std::uint64_t most = file_size * ratio + kSlack;
  if (row_bytes == 0 || rows > most / row_bytes ||
      static_cast<std::uint64_t>(chunk_rows_) > most / row_bytes) {
    return error(fmt::format("claims {} rows of {} bytes, more than {} bytes of file can hold",
                             rows, row_bytes, file_size));
  }
  rows_ = static_cast<std::int64_t>(rows);
  return std::monostate{};
}

Status Hdf5Table::check_filters(hid_t creation) {
  const int count = H5Pget_nfilters(creation);
  if (count < 0) return failed("read the list of filters");
  int expanding = 0;
  for (int i = 0; i < count; ++i) {
    std::array<char, 64> name = {};
    std::size_t parameters = 0;
    unsigned flags = 0;
    unsigned config = 0;
    const H5Z_filter_t id = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &parameters,
                                           nullptr, name.size() - 1, name.data(), &config);
    if (id == H5Z_FILTER_DEFLATE || id == kLzfFilter) ++expanding;
    const bool known = id == H5Z_FILTER_DEFLATE || id == H5Z_FILTER_SHUFFLE ||
                       id == H5Z_FILTER_FLETCHER32 || id == kLzfFilter;
    if (!known) {
      return error(
          fmt::format("is compressed with filter {} ({}); supported are gzip, shuffle, "
                      "fletcher32 and lzf",
                      id, name.data()));
    }
  }
  if (expanding > 1) return error("is compressed more than once, which is not supported");
  return std::monostate{};
}

Status Hdf5Table::read_members() {
  const Handle type = type_handle(H5Dget_type(dataset_.id()));
  const int count = H5Tget_nmembers(type.id());
  if (count <= 0) return failed("read the columns of the table");
  for (int i = 0; i < count; ++i) {
    Member member;
    const auto index = static_cast<unsigned>(i);
    char* name = H5Tget_member_name(type.id(), index);
    if (name == nullptr) return failed("read a column's name");
    member.name = name;
    H5free_memory(name);
    const Handle own = type_handle(H5Tget_member_type(type.id(), index));
    // The library itself would read beyond the row.
    if (!own.ok() ||
        H5Tget_member_offset(type.id(), index) + H5Tget_size(own.id()) > H5Tget_size(type.id())) {
      return error(fmt::format("column {} lies outside its row", member.name));
    }
    const H5T_class_t family = H5Tget_class(own.id());
    if (family == H5T_INTEGER || family == H5T_FLOAT || family == H5T_ENUM) {
      member.native = type_handle(H5Tget_native_type(own.id(), H5T_DIR_ASCEND));
      if (member.native.ok()) member.kind = native_kind(member.native.id());
    }
    columns_.push_back(member.name);
    members_.push_back(std::move(member));
  }
  return std::monostate{};
}

Status Hdf5Table::read(std::span<const std::size_t> wanted, const RowSink& sink) {
  const std::scoped_lock lock(library_lock());
  const Silence silence;
  if (wanted.empty() || rows_ == 0) return std::monostate{};

  std::size_t row_bytes = 0;
  for (const std::size_t column : wanted) {
    const Member& member = members_.at(column);
    if (member.kind == Native::None) {
      return error(fmt::format("column {} does not hold plain numbers", member.name));
    }
    row_bytes += H5Tget_size(member.native.id());
  }
  const Handle row_type = type_handle(H5Tcreate(H5T_COMPOUND, row_bytes));
  std::vector<std::size_t> offsets;
  for (std::size_t offset = 0; const std::size_t column : wanted) {
    const Member& member = members_[column];
    if (H5Tinsert(row_type.id(), member.name.c_str(), offset, member.native.id()) < 0) {
      return failed(fmt::format("select column {}", member.name));
    }
    offsets.push_back(offset);
    offset += H5Tget_size(member.native.id());
  }

  // Whole chunks, so that each is decompressed once.
  const std::int64_t fitting = kPieceBytes / static_cast<std::int64_t>(row_bytes);
  const std::int64_t chunks = std::max<std::int64_t>(1, fitting / chunk_rows_);
  const std::int64_t piece = std::min(rows_, chunks * chunk_rows_);
  std::vector<std::byte> raw(static_cast<std::size_t>(piece) * row_bytes);
  std::vector<double> values(static_cast<std::size_t>(piece) * wanted.size());
  const Handle file_space(H5Dget_space(dataset_.id()), H5Sclose);
  for (std::int64_t first = 0; first < rows_; first += piece) {
    const hsize_t start = static_cast<hsize_t>(first);
    const hsize_t count = static_cast<hsize_t>(std::min(piece, rows_ - first));
    const Handle memory_space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    if (H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, &start, nullptr, &count, nullptr) <
            0 ||
        H5Dread(dataset_.id(), row_type.id(), memory_space.id(), file_space.id(), H5P_DEFAULT,
                raw.data()) < 0) {
      return failed(
          fmt::format("read rows {} to {}", first, first + static_cast<std::int64_t>(count)));
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      widen(members_[wanted[i]].kind, raw.data() + offsets[i], row_bytes, values.data() + i,
            wanted.size(), count);
      if (auto status = categorise_numbers(
              wanted[i], first, std::span(values).first(count * wanted.size()).subspan(i),
              wanted.size());
          !status) {
        return status;
      }
    }
    if (auto status = sink(first, std::span(values).first(count * wanted.size())); !status) {
      return status;
    }
  }
  return std::monostate{};
}

}  // namespace

// The signature stands at offset 0, or behind a user block at 512, 1024, 2048, ...
bool is_hdf5(const std::filesystem::path& path) {
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) return false;
  for (long offset = 0; offset <= 1L << 30; offset = offset == 0 ? 512 : 2 * offset) {
    std::array<char, 8> bytes = {};
    if (std::fseek(file.get(), offset, SEEK_SET) != 0) return false;
    if (std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) return false;
    if (std::string_view(bytes.data(), bytes.size()) == kSignature) return true;
  }
  return false;
}

Result<std::unique_ptr<Table>> open_hdf5_table(const std::filesystem::path& path,
                                               std::string_view preferred) {
  auto table = std::make_unique<Hdf5Table>(path);
  if (auto status = table->open(preferred); !status) return status.error();
  return std::unique_ptr<Table>(std::move(table));
}

}  // namespace mase::io
