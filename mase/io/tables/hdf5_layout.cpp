// The columns that one dataset adds to a table.
#include "mase/io/tables/hdf5_layout.h"

#include <fmt/format.h>

#include "mase/io/tables/hdf5_pandas.h"

namespace mase::io::hdf5 {
namespace {

ReadError too_many(const File& file, const std::string& path) {
  return file.error(fmt::format("{} has more than {} columns", path, kMostColumns));
}

Handle native_type(hid_t type) {
  return type_handle(H5Tget_native_type(type, H5T_DIR_ASCEND));
}

// What the library has no native form for is there, but cannot be read.
std::optional<std::vector<Leaf>> leaves_of_type(hid_t type, const std::string& name,
                                                std::size_t most) {
  const Handle native = native_type(type);
  if (native.ok()) return leaves_of(native.id(), name, most);
  return std::vector<Leaf>{{.name = name}};
}

Status add_members(const File& file, const std::string& path, hid_t dataset, hid_t type,
                   Layout& layout) {
  const std::size_t source = layout.sources.size() - 1;
  const int count = H5Tget_nmembers(type);
  for (int member = 0; member < count; ++member) {
    const auto index = static_cast<unsigned>(member);
    char* raw_name = H5Tget_member_name(type, index);
    const Handle own = type_handle(H5Tget_member_type(type, index));
    if (raw_name == nullptr || !own.ok()) return file.failed("read the columns of " + path);
    const std::string name = raw_name;
    H5free_memory(raw_name);
    auto leaves = leaves_of_type(own.id(), name, kMostColumns - layout.columns.size());
    if (!leaves) return too_many(file, path);
    const auto names = pandas_block_names(dataset, name);
    std::string why;
    std::optional<Codes> codes;
    if (is_pandas_category(dataset, name)) {
      auto read = pandas_categories(file, path, name);
      if (read) codes = *std::move(read);
      if (!read) why = "holds categories of pandas: " + read.error().message;
    }
    for (std::size_t i = 0; i < leaves->size(); ++i) {
      Leaf& leaf = (*leaves)[i];
      if (names && names->size() == leaves->size()) leaf.name = (*names)[i];
      if (!why.empty()) leaf.kind = Native::None;
      layout.columns.push_back(
          {std::move(leaf.name), source, member, 0, leaf.offset, leaf.kind, leaf.size, why, codes});
    }
  }
  return std::monostate{};
}

Status add_elements(const File& file, const std::string& path, hid_t type,
                    const std::optional<std::vector<std::string>>& names, Layout& layout) {
  const std::size_t source = layout.sources.size() - 1;
  const std::uint64_t width = layout.sources[source].storage.width;
  const std::string own_name = path.substr(path.rfind('/') + 1);
  if (width > kMostColumns) return too_many(file, path);
  const bool named = names && names->size() == width;
  for (std::size_t element = 0; element < width; ++element) {
    const std::string name = named        ? (*names)[element]
                             : width == 1 ? own_name
                                          : fmt::format("{}[{}]", own_name, element);
    auto leaves = leaves_of_type(type, name, kMostColumns - layout.columns.size());
    if (!leaves) return too_many(file, path);
    for (Leaf& leaf : *leaves) {
      layout.columns.push_back(
          {std::move(leaf.name), source, -1, element, leaf.offset, leaf.kind, leaf.size, {}});
    }
  }
  return std::monostate{};
}

}  // namespace

Status add_dataset(const File& file, const std::string& path,
                   const std::optional<std::vector<std::string>>& names, Layout& layout) {
  const Handle dataset = file.object(path);
  if (!dataset.ok()) return file.failed("open " + path);
  const Handle type = type_handle(H5Dget_type(dataset.id()));
  if (!type.ok()) return file.failed("read the type of " + path);
  const auto storage = check_storage(file, path, dataset.id());
  if (!storage) return storage.error();
  if (!layout.sources.empty() && storage->rows != layout.rows) {
    return file.error(fmt::format("{} has {} rows, but {} has {}", path, storage->rows,
                                  layout.sources.front().path, layout.rows));
  }
  layout.rows = storage->rows;
  layout.sources.push_back({path, *storage});
  if (H5Tget_class(type.id()) != H5T_COMPOUND) {
    return add_elements(file, path, type.id(), names, layout);
  }
  if (storage->width != 1) {
    return file.error(fmt::format("{} has {} records in a row, not one", path, storage->width));
  }
  return add_members(file, path, dataset.id(), type.id(), layout);
}

}  // namespace mase::io::hdf5
