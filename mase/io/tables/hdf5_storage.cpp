// All sizes that an HDF5 file claims must be possible for a file of its length, and all filters
// present. Plug-ins are looked for where the library does: in HDF5_PLUGIN_PATH or its own folder.
#include "mase/io/tables/hdf5_storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "mase/io/tables/hdf5_lzf.h"

namespace mase::io::hdf5 {
namespace {

// Deflate yields at most 1032 bytes from one.
constexpr std::uint64_t kLargestRatio = 1032;

struct FilterRow {
  H5Z_filter_t id;
  const char* name;
  bool expands;  // may give more bytes than it takes
};

// The registered numbers of the filters that data files use.
constexpr std::array kFilters = {
    FilterRow{H5Z_FILTER_DEFLATE, "gzip", true},
    FilterRow{H5Z_FILTER_SHUFFLE, "shuffle", false},
    FilterRow{H5Z_FILTER_FLETCHER32, "fletcher32", false},
    FilterRow{H5Z_FILTER_SZIP, "szip", true},
    FilterRow{H5Z_FILTER_NBIT, "nbit", true},
    FilterRow{H5Z_FILTER_SCALEOFFSET, "scale-offset", true},
    FilterRow{305, "lzo", true},
    FilterRow{307, "bzip2", true},
    FilterRow{kLzfFilter, "lzf", true},
    FilterRow{32001, "blosc", true},
    FilterRow{32004, "lz4", true},
    FilterRow{32008, "bitshuffle", true},
    FilterRow{32013, "zfp", true},
    FilterRow{32015, "zstd", true},
    FilterRow{32026, "blosc2", true},
};

const FilterRow* find_filter(H5Z_filter_t id) {
  const auto row = std::find_if(kFilters.begin(), kFilters.end(),
                                [&](const FilterRow& filter) { return filter.id == id; });
  return row == kFilters.end() ? nullptr : &*row;
}

std::string missing_filter(const std::string& path, H5Z_filter_t id, const std::string& name) {
  return fmt::format(
      "{} is compressed with {} (HDF5 filter {}), for which this system has no plug-in: point "
      "HDF5_PLUGIN_PATH to the folder of one (Debian's hdf5-filter-plugin; the folder "
      "hdf5plugin.PLUGIN_PATH of Python's hdf5plugin), or write the file again with gzip",
      path, name, id);
}

// How many times larger than its chunks in the file the data can be.
Result<std::uint64_t> check_filters(const File& file, const std::string& path, hid_t creation) {
  const int count = H5Pget_nfilters(creation);
  if (count < 0) return file.failed("read the list of filters");
  int expanding = 0;
  for (int i = 0; i < count; ++i) {
    std::array<char, 64> own_name = {};
    std::size_t parameters = 0;
    unsigned flags = 0;
    unsigned config = 0;
    const H5Z_filter_t id = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &parameters,
                                           nullptr, own_name.size() - 1, own_name.data(), &config);
    const FilterRow* row = find_filter(id);
    if (H5Zfilter_avail(id) <= 0) {
      const std::string name = row != nullptr ? row->name : own_name.data();
      return file.error(missing_filter(path, id, name.empty() ? "a filter of its own" : name));
    }
    if (row == nullptr || row->expands) ++expanding;
  }
  if (expanding > 1) {
    return file.error(fmt::format("{} is compressed more than once, which is not supported", path));
  }
  return expanding == 0 ? 1 : kLargestRatio;
}

// The library itself would read beyond the row.
bool members_inside(hid_t type, int depth) {
  constexpr int kDeepest = 32;
  if (depth > kDeepest) return false;
  if (H5Tget_class(type) == H5T_ARRAY) {
    const Handle element = type_handle(H5Tget_super(type));
    return element.ok() && members_inside(element.id(), depth + 1);
  }
  if (H5Tget_class(type) != H5T_COMPOUND) return true;
  const int count = H5Tget_nmembers(type);
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<unsigned>(i);
    const Handle member = type_handle(H5Tget_member_type(type, index));
    if (!member.ok() ||
        H5Tget_member_offset(type, index) + H5Tget_size(member.id()) > H5Tget_size(type) ||
        !members_inside(member.id(), depth + 1)) {
      return false;
    }
  }
  return count > 0;
}

// Undefined when rows are missing and nothing says what stands for them.
bool missing_rows_are_defined(hid_t dataset, hid_t creation) {
  H5D_space_status_t status = H5D_SPACE_STATUS_ALLOCATED;
  H5D_fill_value_t fill = H5D_FILL_VALUE_DEFAULT;
  if (H5Dget_space_status(dataset, &status) < 0) return false;
  if (status == H5D_SPACE_STATUS_ALLOCATED) return true;
  return H5Pfill_value_defined(creation, &fill) >= 0 && fill != H5D_FILL_VALUE_UNDEFINED;
}

// a * b, or the largest number there is.
std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t out = 0;
  return __builtin_mul_overflow(a, b, &out) ? UINT64_MAX : out;
}

Status check_chunks(const File& file, const std::string& path, hid_t creation,
                    std::span<const hsize_t> shape, std::uint64_t element, Storage& out) {
  std::vector<hsize_t> chunk(shape.size());
  if (H5Pget_chunk(creation, static_cast<int>(chunk.size()), chunk.data()) !=
      static_cast<int>(chunk.size())) {
    return file.failed("read the chunk size");
  }
  std::uint64_t bytes = element;
  out.chunks = 1;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    if (chunk[i] == 0) return file.error(fmt::format("{} has chunks of no size", path));
    bytes = product(bytes, chunk[i]);
    if (i > 0) out.chunks = product(out.chunks, (shape[i] + chunk[i] - 1) / chunk[i]);
  }
  out.chunk_bytes = product(bytes, out.chunks);
  if (out.chunk_bytes > kMostChunkBytes) {
    return file.error(
        fmt::format("{} is stored in chunks too large to read: {} bytes for a row, at most {}",
                    path, out.chunk_bytes, kMostChunkBytes));
  }
  return std::monostate{};
}

}  // namespace

Result<Storage> check_storage(const File& file, const std::string& path, hid_t dataset) {
  const Handle space = space_handle(H5Dget_space(dataset));
  const Handle type = type_handle(H5Dget_type(dataset));
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  std::array<hsize_t, H5S_MAX_RANK> extent = {};
  const int rank = H5Sget_simple_extent_dims(space.id(), extent.data(), nullptr);
  if (!space.ok() || !type.ok() || !creation.ok() || rank < 1) {
    return file.failed("read the table's description");
  }
  const auto shape = std::span(extent).first(static_cast<std::size_t>(rank));
  if (H5Pget_external_count(creation.id()) != 0) {
    return file.error(
        fmt::format("{} keeps its rows in other files, which is not supported", path));
  }
  if (!members_inside(type.id(), 0)) {
    return file.error(fmt::format("{}: a column lies outside its row", path));
  }
  Storage out{.rows = shape[0], .width = 1};
  for (const hsize_t extent_of : shape.subspan(1)) out.width = product(out.width, extent_of);

  std::uint64_t ratio = 1;
  const std::uint64_t element = H5Tget_size(type.id());
  const H5D_layout_t layout = H5Pget_layout(creation.id());
  if (layout == H5D_CHUNKED) {
    const auto times = check_filters(file, path, creation.id());
    if (!times) return times.error();
    ratio = *times;
    const auto status = check_chunks(file, path, creation.id(), shape, element, out);
    if (!status) return status.error();
  } else if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS) {
    return file.error(
        fmt::format("{} is a virtual dataset: its rows lie in other files, which is not supported; "
                    "write them into one",
                    path));
  }
  const std::uint64_t most = product(file.size(), ratio) + kFreeBytes;
  const std::uint64_t row_bytes = product(element, out.width);
  if (row_bytes == 0 || product(row_bytes, out.rows) > most || out.chunk_bytes > most) {
    return file.error(
        fmt::format("{} claims {} rows of {} bytes, more than {} bytes of file can hold", path,
                    out.rows, row_bytes, file.size()));
  }
  if (!missing_rows_are_defined(dataset, creation.id())) {
    return file.error(fmt::format("{}: some of its rows were never written", path));
  }
  return out;
}

}  // namespace mase::io::hdf5
