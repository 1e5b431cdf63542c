// Frames that pandas wrote. Format "fixed" keeps columns of one type together: blockN_values
// [rows, columns] with their names in blockN_items. Format "table" keeps one compound dataset,
// whose members are columns or again blocks; their names lie pickled in attributes.
#include "mase/io/tables/hdf5_pandas.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace mase::io::hdf5 {
namespace {

// Python's raw-unicode-escape: Latin-1, and \uXXXX or \UXXXXXXXX for the rest.
std::string unescape(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const std::size_t digits = i + 1 >= raw.size() || raw[i] != '\\' ? 0
                               : raw[i + 1] == 'u'                   ? 4
                               : raw[i + 1] == 'U'                   ? 8
                                                                     : 0;
    if (digits == 0 || i + 2 + digits > raw.size()) {
      append_utf8(static_cast<unsigned char>(raw[i]), out);
      continue;
    }
    const std::string code(raw.substr(i + 2, digits));
    if (!append_utf8(std::strtoul(code.c_str(), nullptr, 16), out)) out += "\xef\xbf\xbd";
    i += 1 + digits;
  }
  return out;
}

constexpr const char* kValues = "values";  // how pandas calls the one column of a series
constexpr std::size_t kLongestCategory = 4096;

// The column of a series, which is of this type.
Result<Codes> read_values(const File& file, const std::string& path, hid_t dataset,
                          const Handle& own, std::size_t rows) {
  const bool text = H5Tget_class(own.id()) == H5T_STRING;
  const bool number = H5Tget_class(own.id()) == H5T_INTEGER || H5Tget_class(own.id()) == H5T_FLOAT;
  const std::size_t size = text ? H5Tget_size(own.id()) : sizeof(double);
  if ((!text && !number) || (text && H5Tis_variable_str(own.id()) > 0) || size > kLongestCategory) {
    return file.error(fmt::format("{} holds categories that are neither texts nor numbers", path));
  }
  const Handle memory = type_handle(H5Tcreate(H5T_COMPOUND, size));
  H5Tinsert(memory.id(), kValues, 0, text ? own.id() : H5T_NATIVE_DOUBLE);
  std::vector<std::byte> raw(rows * size);
  if (H5Dread(dataset, memory.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()) < 0) {
    return file.failed("read " + path);
  }
  Codes out;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::byte* from = raw.data() + row * size;
    if (text) {
      out.texts.emplace_back(text_at(Native::FixedText, from, size));
    } else {
      std::memcpy(&out.numbers.emplace_back(), from, sizeof(double));
    }
  }
  return out;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

std::optional<std::vector<std::string>> parse_pickled_names(std::string_view pickle) {
  if (!pickle.starts_with("(l")) return std::nullopt;
  pickle.remove_prefix(2);
  std::vector<std::string> names;
  while (!pickle.empty()) {
    const char code = pickle.front();
    pickle.remove_prefix(1);
    if (code == 'a') continue;
    if (code == '.') return names;
    const std::string_view line = take_line(pickle);
    if (code == 'V') {
      names.push_back(unescape(line));
    } else if (code == 'S' && line.size() >= 2) {  // 'text', by Python 2
      names.emplace_back(line.substr(1, line.size() - 2));
    } else if (code == 'I' || code == 'L') {
      names.emplace_back(line.substr(0, line.find('L')));
    } else if (code != 'p') {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> pandas_block_names(hid_t dataset,
                                                           const std::string& member) {
  if (!member.starts_with("values_block_")) return std::nullopt;
  const auto pickle = attribute_text(dataset, (member + "_kind").c_str());
  return pickle ? parse_pickled_names(*pickle) : std::nullopt;
}

bool is_pandas_category(hid_t dataset, const std::string& member) {
  const auto meta = attribute_text(dataset, (member + "_meta").c_str());
  return meta && *meta == "category";
}

Result<Codes> pandas_categories(const File& file, const std::string& path,
                                const std::string& member) {
  const std::string series =
      fmt::format("{}/meta/{}/meta/table", path.substr(0, path.rfind('/')), member);
  const Handle dataset = file.object(series);
  if (!dataset.ok()) return file.failed("open " + series);
  const auto storage = check_storage(file, series, dataset.id());
  if (!storage) return storage.error();
  const Handle type = type_handle(H5Dget_type(dataset.id()));
  const bool records = type.ok() && H5Tget_class(type.id()) == H5T_COMPOUND;
  const int index = records ? H5Tget_member_index(type.id(), kValues) : -1;
  if (index < 0 || storage->width != 1 || storage->rows == 0 || storage->rows > kMostCategories) {
    return file.error(fmt::format("{} is no list of categories", series));
  }
  return read_values(file, series, dataset.id(),
                     type_handle(H5Tget_member_type(type.id(), static_cast<unsigned>(index))),
                     static_cast<std::size_t>(storage->rows));
}

Result<Layout> pandas_fixed_layout(const File& file, const Group& group) {
  Layout layout;
  for (std::size_t block = 0;; ++block) {
    const Array* values = group.find(fmt::format("block{}_values", block));
    const Array* items = group.find(fmt::format("block{}_items", block));
    if (values == nullptr || items == nullptr) break;
    const Handle dataset = file.object(items->path);
    const auto names = dataset_texts(dataset.id(), kMostColumns);
    if (!names) return file.error(fmt::format("{} does not name columns", items->path));
    // Texts and other Python objects: one pickle of them all.
    if (values->family == H5T_VLEN) {
      for (const std::string& name : *names) {
        layout.columns.push_back(
            {.name = name,
             .unreadable = "holds Python objects; write the frame with to_hdf(format=\"table\")"});
      }
      continue;
    }
    if (auto status = add_dataset(file, values->path, names, layout); !status) {
      return status.error();
    }
  }
  if (layout.sources.empty()) {
    return file.error(fmt::format("{} is a pandas frame without columns of numbers", group.path));
  }
  return layout;
}

}  // namespace mase::io::hdf5
