// Which reader a table is for.
#include "mase/io/open_table.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "mase/io/csv_table.h"
#include "mase/io/hdf5_table.h"
#include "mase/io/isolated_table.h"
#include "mase/io/npy_table.h"

namespace mase::io {

Result<std::unique_ptr<Table>> open_table(const std::filesystem::path& path,
                                          std::string_view preferred) {
  const Location where{.file = path.string()};
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) return ReadError{"is a folder, not a file", where};
  if (const auto status = std::filesystem::status(path, code);
      std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return ReadError{"is not a regular file", where};
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) return ReadError{std::string("cannot be read: ") + std::strerror(errno), where};
  std::array<char, 8> bytes = {};
  const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), file.get());
  const std::string_view start(bytes.data(), got);
  if (start.starts_with("\x93NUMPY")) return open_npy_table(path);
  if (start.starts_with("PK")) return open_npz_table(path);
  if (is_hdf5(path)) {
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
