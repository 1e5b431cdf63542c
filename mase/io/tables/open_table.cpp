// Which reader a table is for.
#include "mase/io/tables/open_table.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "mase/io/tables/csv_table.h"
#include "mase/io/tables/hdf5_table.h"
#include "mase/io/tables/isolated_table.h"
#include "mase/io/tables/npy_table.h"
#include "mase/support/files.h"

namespace mase::io {

TablePath split_table_path(const std::filesystem::path& path) {
  const std::string text = path.string();
  const std::size_t colon = text.rfind(":/");
  std::error_code code;
  if (colon == std::string::npos || colon == 0 || std::filesystem::exists(path, code)) {
    return {path, ""};
  }
  const std::filesystem::path file = text.substr(0, colon);
  if (!std::filesystem::is_regular_file(file, code)) return {path, ""};
  return {file, text.substr(colon + 1)};
}

Result<std::unique_ptr<Table>> open_table(const std::filesystem::path& path,
                                          std::string_view preferred) {
  const Location where{.file = path.string()};
  const auto file = open_input(path);
  if (!file) return file.error();
  std::array<char, 8> bytes = {};
  const ssize_t got = ::pread(file->get(), bytes.data(), bytes.size(), 0);
  if (got < 0) return ReadError{std::string("cannot be read: ") + std::strerror(errno), where};
  const std::string_view start(bytes.data(), static_cast<std::size_t>(got));
  const bool hdf5 = is_hdf5(path);
  if (preferred.starts_with('/') && !hdf5) {
    return ReadError{"is no HDF5 file, so there is no " + std::string(preferred) + " in it", where};
  }
  if (start.starts_with("\x93NUMPY")) return open_npy_table(path);
  if (start.starts_with("PK")) return open_npz_table(path);
  if (hdf5) {
    return open_isolated(
        path, [path, name = std::string(preferred)] { return open_hdf5_table(path, name); });
  }
  if (start.starts_with("\x1f\x8b")) return open_csv_table(path);  // gzipped
  if (start.find('\0') != std::string_view::npos) {
    return ReadError{"is neither HDF5, npy, npz nor CSV", where};
  }
  return open_csv_table(path);
}

}  // namespace mase::io
