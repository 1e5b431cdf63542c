// Opening HDF5 files and objects so that a foreign file leads nowhere else, and turning the
// library's error stack into one sentence.
#include "mase/io/tables/hdf5_library.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mase/io/tables/hdf5_lzf.h"
#include "mase/io/tables/hdf5_table.h"

namespace mase::io::hdf5 {
namespace {

// Called before a link to another file is followed, from wherever it was met.
herr_t refuse_link(const char*, const char*, const char*, const char*, unsigned*, hid_t, void*) {
  return -1;
}

Handle access_list(hid_t family) {
  Handle access(H5Pcreate(family), H5Pclose);
  H5Pset_elink_cb(access.id(), refuse_link, nullptr);
  return access;
}

std::string library_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace

std::recursive_mutex& library_lock() {
  static std::recursive_mutex mutex;
  return mutex;
}

Silence::Silence() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Silence::~Silence() {
  H5Eset_auto2(H5E_DEFAULT, function_, data_);
}

std::string library_reason() {
  std::string reason;
  const auto visit = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    auto& text = *static_cast<std::string*>(out);
    if (text.empty() && error->desc != nullptr) text = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, visit, &reason);
  if (reason.empty()) return "";
  // "bad version number for datatype message", "bad superblock version number", ...
  if (reason.find("version") == std::string::npos) return ": " + reason;
  return fmt::format(
      ": it seems to be written for a newer HDF5 than this build's {} ({}); write it again with "
      "h5py.File(..., libver=\"v110\")",
      library_version(), reason);
}

Result<File> File::open(const std::filesystem::path& path) {
  File file;
  file.name_ = path.string();
  std::error_code code;
  file.size_ = std::filesystem::file_size(path, code);
  if (code) return file.error("cannot be read: " + code.message());
  if (!is_hdf5(path)) return file.error("not an HDF5 file");
  if (!register_lzf_filter()) return file.failed("register the LZF filter");
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // A lock on a read-only file system or a second reader must not stop us.
  H5Pset_file_locking(access.id(), false, true);
  file.handle_ = {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose};
  if (!file.handle_.ok()) return file.failed("open the HDF5 file");
  file.links_ = access_list(H5P_LINK_ACCESS);
  return file;
}

Result<File> File::parse(std::span<const std::byte> image, const std::string& name) {
  File file;
  file.name_ = name;
  file.size_ = image.size();
  if (!register_lzf_filter()) return file.failed("register the LZF filter");
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  constexpr std::size_t kIncrement = 1 << 16;
  // The library copies the image and promises not to change ours.
  auto* bytes = const_cast<std::byte*>(image.data());
  if (H5Pset_fapl_core(access.id(), kIncrement, false) < 0 ||
      H5Pset_file_image(access.id(), bytes, image.size()) < 0) {
    return file.failed("take the bytes");
  }
  file.handle_ = {H5Fopen(name.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose};
  if (!file.handle_.ok()) return file.failed("open the HDF5 file");
  file.links_ = access_list(H5P_LINK_ACCESS);
  return file;
}

ReadError File::failed(std::string_view doing) const {
  return error(fmt::format("cannot {}{}", doing, library_reason()));
}

Handle File::object(const std::string& path) const {
  return {H5Oopen(id(), path.c_str(), links_.id()), H5Oclose};
}

Handle File::dataset(const std::string& path, std::uint64_t chunk_bytes,
                     std::uint64_t chunks) const {
  constexpr std::uint64_t kFewestBytes = 1 << 20;  // the library's own numbers
  constexpr std::uint64_t kFewestSlots = 521;
  const Handle access = access_list(H5P_DATASET_ACCESS);
  // A chunk's place in the cache is its number modulo the slots: room for no two to meet.
  H5Pset_chunk_cache(access.id(), std::max(kFewestSlots, 16 * chunks + 1),
                     std::max(kFewestBytes, chunk_bytes), 1.0);
  return {H5Dopen2(id(), path.c_str(), access.id()), H5Dclose};
}

}  // namespace mase::io::hdf5
