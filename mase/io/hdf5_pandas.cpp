// Frames that pandas wrote. Format "fixed" keeps columns of one type together: blockN_values
// [rows, columns] with their names in blockN_items. Format "table" keeps one compound dataset,
// whose members are columns or again blocks; their names lie pickled in attributes.
#include "mase/io/hdf5_pandas.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

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

std::string pandas_unreadable(hid_t dataset, const std::string& member) {
  const auto meta = attribute_text(dataset, (member + "_meta").c_str());
  if (!meta || *meta != "category") return "";
  return "holds categories of pandas; write it as text, astype(str)";
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
