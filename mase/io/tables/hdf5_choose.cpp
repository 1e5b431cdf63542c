// Which datasets of an HDF5 file are its table: one of a compound type, a frame of pandas, or else
// arrays of equal length side by side in a group (a dataset for each column, matrices X and y).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "mase/io/tables/hdf5_layout.h"
#include "mase/io/tables/hdf5_pandas.h"

namespace mase::io::hdf5 {
namespace {

constexpr std::size_t kMostNamed = 8;

struct Candidate {
  enum class Kind { Records, Frame, Arrays };
  Kind kind = Kind::Records;
  std::string path;                  // how to name it in FILE:/path
  std::string shown;                 // "/events/jets (400 rows)"
  const Group* group = nullptr;      // of a Frame, of Arrays
  std::vector<const Array*> arrays;  // of Records (one) and Arrays
};

bool is_records(const Array& array) {
  if (array.family != H5T_COMPOUND || array.shape.empty()) return false;
  return std::all_of(array.shape.begin() + 1, array.shape.end(), [](auto n) { return n == 1; });
}

bool is_plain(const Array& array) {
  const bool number = array.family == H5T_INTEGER || array.family == H5T_FLOAT ||
                      array.family == H5T_ENUM || array.family == H5T_BITFIELD;
  return (number || array.family == H5T_STRING) &&
         (array.shape.size() == 1 || array.shape.size() == 2);
}

hsize_t width_of(const Array& array) {
  return array.shape.size() == 1 ? 1 : array.shape[1];
}

Candidate records(const Array& array) {
  return {
      .kind = Candidate::Kind::Records,
      .path = array.path,
      .shown = fmt::format("{} ({} rows, {} columns)", array.path, array.shape[0], array.members),
      .arrays = {&array}};
}

Candidate frame(const Group& group) {
  return {.kind = Candidate::Kind::Frame,
          .path = group.path,
          .shown = fmt::format("{} (a pandas frame)", group.path),
          .group = &group};
}

// Arrays of one length that are no names of another's columns.
Candidate side_by_side(const Group& group, std::vector<const Array*> arrays) {
  std::vector<std::string> names;
  std::vector<std::string> paths;
  for (const Array* array : arrays) {
    if (names.size() < kMostNamed) names.push_back(array->name());
    paths.push_back(array->path);
  }
  if (arrays.size() > names.size()) names.emplace_back("...");
  return {.kind = Candidate::Kind::Arrays,
          .path = fmt::format("{}", fmt::join(paths, ",")),
          .shown = fmt::format("{} ({} rows of {})", group.path, arrays.front()->shape[0],
                               fmt::join(names, ", ")),
          .group = &group,
          .arrays = std::move(arrays)};
}

void add_candidates(const Group& group, std::vector<Candidate>& out) {
  if (group.pandas_type == "frame") return out.push_back(frame(group));
  std::map<hsize_t, std::vector<const Array*>> by_rows;
  for (const Array& array : group.arrays) {
    if (is_records(array)) out.push_back(records(array));
    if (is_plain(array)) by_rows[array.shape[0]].push_back(&array);
  }
  for (auto& [rows, arrays] : by_rows) {
    hsize_t columns = 0;
    bool numbers = false;
    for (const Array* array : arrays) {
      columns += std::min<hsize_t>(width_of(*array), kMostColumns);
      numbers = numbers || array->family != H5T_STRING;
    }
    if (columns > 1 && numbers) out.push_back(side_by_side(group, std::move(arrays)));
  }
}

// Tables proper come before arrays that merely lie side by side.
std::vector<Candidate> candidates(const Contents& contents) {
  std::vector<Candidate> out;
  std::vector<std::string> inside;  // what pandas keeps beside a table is no table
  for (const Group& group : contents.groups) {
    if (std::any_of(inside.begin(), inside.end(),
                    [&](const std::string& path) { return group.path.starts_with(path); })) {
      continue;
    }
    if (!group.pandas_type.empty()) inside.push_back(group.path + "/");
    add_candidates(group, out);
  }
  if (std::any_of(out.begin(), out.end(),
                  [](const Candidate& c) { return c.kind != Candidate::Kind::Arrays; })) {
    std::erase_if(out, [](const Candidate& c) { return c.kind == Candidate::Kind::Arrays; });
  }
  return out;
}

std::optional<std::vector<std::string>> names_in_attributes(hid_t dataset) {
  for (const char* key : {"columns", "column_names", "feature_names", "names"}) {
    if (auto names = attribute_texts(dataset, key, kMostColumns)) return names;
  }
  return std::nullopt;
}

// The names of a matrix's columns: in an attribute of it or in the one list of texts beside it that
// is as long as the matrix is wide; of several, the one whose name begins alike (jets and
// jetFeatureNames).
std::optional<std::vector<std::string>> matrix_names(const File& file, const Group* group,
                                                     const Array& matrix) {
  if (matrix.shape.size() != 2) return std::nullopt;
  const Handle dataset = file.object(matrix.path);
  if (auto names = names_in_attributes(dataset.id())) return names;
  if (group == nullptr) return std::nullopt;
  const std::string stem = matrix.name().substr(0, matrix.name().size() - 1);
  std::vector<const Array*> lists;
  for (const Array& array : group->arrays) {
    if (array.family == H5T_STRING && array.shape == std::vector{matrix.shape[1]}) {
      lists.push_back(&array);
    }
  }
  if (lists.size() > 1) {
    std::erase_if(lists, [&](const Array* list) { return !list->name().starts_with(stem); });
  }
  if (lists.size() != 1) return std::nullopt;
  return dataset_texts(file.object(lists.front()->path).id(), kMostColumns);
}

Result<Layout> layout_of(const File& file, const Candidate& candidate) {
  if (candidate.kind == Candidate::Kind::Frame) return pandas_fixed_layout(file, *candidate.group);
  Layout layout;
  for (const Array* array : candidate.arrays) {
    const auto names = matrix_names(file, candidate.group, *array);
    if (auto status = add_dataset(file, array->path, names, layout); !status) {
      return status.error();
    }
  }
  return layout;
}

template <typename Range, typename Show>
std::string listed(const Range& range, Show show) {
  std::vector<std::string> out;
  for (const auto& item : range) {
    if (out.size() == kMostNamed) {
      out.push_back(fmt::format("and {} more", range.size() - out.size()));
      break;
    }
    out.push_back(show(item));
  }
  return fmt::format("{}", fmt::join(out, "; "));
}

std::string as_it_is(const std::string& text) {
  return text;
}

std::string nothing_found(const Contents& contents) {
  if (!contents.unreadable.empty()) return listed(contents.unreadable, as_it_is);
  std::string out = "holds no table (a dataset of records, or arrays of equal length in one group)";
  std::vector<const Array*> arrays;
  for (const Group& group : contents.groups) {
    for (const Array& array : group.arrays) arrays.push_back(&array);
  }
  if (!arrays.empty()) {
    out += ", only " + listed(arrays, [](const Array* array) { return array->text(); });
  }
  if (!contents.refused.empty()) {
    out += "; " + listed(contents.refused, as_it_is);
  }
  return out;
}

// What cannot be read might be the table that is meant.
std::string unreadable_beside(const Contents& contents, const Candidate& readable) {
  return fmt::format("{}; to take {} instead, name it as FILE:{}",
                     listed(contents.unreadable, as_it_is), readable.shown, readable.path);
}

// The only table at or below a group.
Result<Layout> only_table(const File& file, const std::string& start, std::string_view preferred) {
  const auto contents = list_contents(file, start);
  if (!contents) return contents.error();
  const auto found = candidates(*contents);
  const std::string within = start == "/" ? "" : start + " ";
  if (found.empty()) return file.error(within + nothing_found(*contents));
  if (!contents->unreadable.empty()) return file.error(unreadable_beside(*contents, found.front()));
  if (found.size() == 1) return layout_of(file, found.front());
  return file.error(
      fmt::format("{}holds several tables{}: {}; name one, as FILE:{}", within,
                  preferred.empty() ? "" : fmt::format(", none of them called {}", preferred),
                  listed(found, [](const Candidate& candidate) { return candidate.shown; }),
                  found.front().path));
}

std::vector<std::string> split_paths(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t comma = text.find(",/");
    out.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

ReadError not_there(const File& file, const std::string& path) {
  const std::string why = library_reason();
  const auto contents = list_contents(file, "/");
  if (!contents) return file.error(fmt::format("cannot open {}{}", path, why));
  for (const auto& list : {contents->unreadable, contents->refused}) {
    for (const std::string& entry : list) {
      if (entry.starts_with(path + " ") ||
          path.starts_with(entry.substr(0, entry.find(' ')) + "/")) {
        return file.error(entry);
      }
    }
  }
  const auto found = candidates(*contents);
  if (found.empty()) return file.error(fmt::format("holds no {}", path));
  return file.error(
      fmt::format("holds no {}; its tables are {}", path,
                  listed(found, [](const Candidate& candidate) { return candidate.shown; })));
}

Result<Layout> layout_at(const File& file, const std::string& path) {
  const Handle object = file.object(path);
  std::vector<std::string> paths = {path};
  if (!object.ok()) paths = split_paths(path);
  if (object.ok() && H5Iget_type(object.id()) != H5I_DATASET) return only_table(file, path, "");
  Layout layout;
  for (const std::string& one : paths) {
    const Array array = describe_array(file, one);
    if (array.shape.empty()) return not_there(file, one);
    const std::string group = one.substr(0, std::max<std::size_t>(one.rfind('/'), 1));
    const auto beside = list_contents(file, group);
    const Group* around = beside ? &beside->groups.front() : nullptr;
    const auto names = matrix_names(file, around, array);
    if (auto status = add_dataset(file, one, names, layout); !status) return status.error();
  }
  return layout;
}

}  // namespace

Result<Layout> choose_layout(const File& file, std::string_view preferred) {
  if (preferred.starts_with('/')) return layout_at(file, std::string(preferred));
  if (!preferred.empty()) {
    const Array array = describe_array(file, fmt::format("/{}", preferred));
    if (is_records(array)) return layout_of(file, records(array));
  }
  return only_table(file, "/", preferred);
}

}  // namespace mase::io::hdf5
