// Finding the columns of a table by name: for each what is wanted, the spellings in turn.
#include "mase/data/columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "mase/support/diagnostics.h"
#include "mase/support/suggest.h"

namespace mase::data {
namespace {

constexpr std::size_t kMostShown = 5;

// Features and classes of a table as two matrices, or as a matrix and a column.
struct Matrices {
  std::string_view features;
  std::string_view label;
  std::string_view test_features = {};  // where the rows lie in two parts
};
constexpr std::array kMatrices = {Matrices{"X", "y"},
                                  Matrices{"X", "Y"},
                                  Matrices{"x", "y"},
                                  Matrices{"features", "labels"},
                                  Matrices{"data", "target"},
                                  Matrices{"x_train", "y_train", "x_test"},
                                  Matrices{"X_train", "y_train", "X_test"},
                                  Matrices{"X_train", "Y_train", "X_test"}};

std::string element(std::string_view matrix, std::size_t column) {
  return fmt::format("{}[{}]", matrix, column);
}

// "a, b, c, ... (20 in all)"
std::string some_of(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(names.size(), kMostShown); ++i) {
    shown.push_back(io::brief(names[i]));
  }
  const bool all = shown.size() == names.size();
  return fmt::format("{}{}", fmt::join(shown, ", "),
                     all ? "" : fmt::format(", ... ({} in all)", names.size()));
}

// The columns of a table by name, each with all its places.
class Columns {
 public:
  explicit Columns(const io::Table& table) : table_(table) {
    for (std::size_t i = 0; i < table.columns().size(); ++i)
      places_[table.columns()[i]].push_back(i);
  }

  bool has(const std::string& name) const { return places_.contains(name); }
  bool has_any(const Spellings& spellings) const {
    return std::any_of(spellings.begin(), spellings.end(), [&](auto& name) { return has(name); });
  }
  bool has_any(const std::vector<Spellings>& columns) const {
    return std::any_of(columns.begin(), columns.end(), [&](auto& c) { return has_any(c); });
  }
  bool has_all(const std::vector<Spellings>& columns) const {
    return std::all_of(columns.begin(), columns.end(), [&](auto& c) { return has_any(c); });
  }

  // The place of a column; 0 and a problem if it is missing or there twice.
  std::size_t find(const Spellings& spellings, Diagnostics& problems) const {
    for (const std::string& name : spellings) {
      const auto found = places_.find(name);
      if (found == places_.end()) continue;
      const auto& at = found->second;
      if (at.size() > 1) {
        problems.add(
            fmt::format("column {} is there {}: as columns {} and {} of {}, counted from 1",
                        io::brief(name),
                        at.size() == 2 ? "twice" : fmt::format("{} times", at.size()), at[0] + 1,
                        at[1] + 1, table_.columns().size()),
            table_.where(0), "which of them is meant cannot be told");
      }
      return at.front();
    }
    problems.add(fmt::format("column {} is missing", io::brief(spellings.front())), table_.where(0),
                 hint(spellings));
    return 0;
  }

  // The number of columns of a matrix.
  std::size_t width(std::string_view matrix) const {
    std::size_t width = 0;
    while (has(element(matrix, width))) ++width;
    return width;
  }

 private:
  std::string hint(const Spellings& spellings) const {
    for (const std::string& name : spellings) {
      if (const std::size_t columns = width(name); columns > 0) {
        return fmt::format("{0} is a matrix: name its columns, '{0}[0..{1}]'", name, columns - 1);
      }
      if (auto near = did_you_mean(name, table_.columns()); !near.empty()) return near;
    }
    return "";
  }

  const io::Table& table_;
  std::map<std::string, std::vector<std::size_t>, std::less<>> places_;
};

[[noreturn]] void nothing_found(const io::Table& table, const Wanted& wanted) {
  std::vector<std::string> names;
  for (const Spellings& column : wanted.features) names.push_back(column.front());
  std::string hint = did_you_mean(names.front(), table.columns());
  if (hint.empty()) hint = "--columns tells the names of other columns";
  throw Error(
      ErrorKind::Unreadable,
      fmt::format("none of the columns that are wanted ({}) is there; what is taken for the "
                  "names of columns reads: {}",
                  some_of(names), some_of(table.columns())),
      table.where(0), std::move(hint));
}

// Rows that somebody split into parts, as the data sets of Keras are: which one is meant, only the
// user can tell, for all the rows of a table are split anew.
[[noreturn]] void refuse_parts(const io::Table& table, const Matrices& pair, std::size_t width,
                               std::size_t label_width) {
  const std::string label = label_width == 0
                                ? std::string(pair.label)
                                : fmt::format("'{}[0..{}]'", pair.label, label_width - 1);
  throw Error(ErrorKind::Unreadable,
              fmt::format("the rows are in two parts, {} and {}, of which one can be read: a fifth "
                          "of its rows become the test part",
                          pair.features, pair.test_features),
              table.where(0),
              fmt::format("name the part: --columns 'features={}[0..{}]' --columns target={}",
                          pair.features, width - 1, label));
}

// The matrices of features and classes, where the table has such and nothing of what is wanted.
std::optional<Selection> select_matrices(const io::Table& table, const Columns& columns,
                                         const Wanted& wanted) {
  for (const Matrices& pair : kMatrices) {
    const std::size_t width = columns.width(pair.features);
    if (width == 0) continue;
    std::vector<Spellings> label;
    const std::size_t label_width = columns.width(pair.label);
    if (columns.has(std::string(pair.label))) {
      label = {{std::string(pair.label)}};
    } else {
      for (std::size_t i = 0; i < label_width; ++i) label.push_back({element(pair.label, i)});
    }
    if (label.empty()) continue;
    if (!pair.test_features.empty() && columns.width(pair.test_features) > 0) {
      refuse_parts(table, pair, width, label_width);
    }
    if (width != wanted.features.size() ||
        (label.size() != 1 && label.size() != wanted.classes.size())) {
      throw Error(
          ErrorKind::Unreadable,
          fmt::format("{} has {} columns and {} has {}, but {} features and a class, or one "
                      "column for each of {} classes, are wanted",
                      pair.features, width, pair.label, label.size(), wanted.features.size(),
                      wanted.classes.size()),
          table.where(0), "--columns tells which are meant");
    }
    Diagnostics problems;
    Selection out{.features = width, .one_hot = label.size() > 1};
    for (std::size_t i = 0; i < width; ++i) {
      out.columns.push_back(columns.find({element(pair.features, i)}, problems));
    }
    for (const Spellings& column : label) out.columns.push_back(columns.find(column, problems));
    problems.throw_if_any(ErrorKind::Unreadable);
    return out;
  }
  return std::nullopt;
}

Selection select_names(const io::Table& table, const Columns& columns, const Wanted& wanted) {
  if (!columns.has_any(wanted.features) && wanted.features.size() > kMostShown) {
    nothing_found(table, wanted);
  }
  Diagnostics problems;
  Selection out{.features = wanted.features.size(),
                .one_hot = !wanted.one_hot.empty() &&
                           (columns.has_all(wanted.one_hot) || !columns.has_any(wanted.label))};
  for (const Spellings& feature : wanted.features) {
    out.columns.push_back(columns.find(feature, problems));
  }
  for (const Spellings& label :
       out.one_hot ? wanted.one_hot : std::vector<Spellings>{wanted.label}) {
    out.columns.push_back(columns.find(label, problems));
  }
  problems.throw_if_any(ErrorKind::Unreadable);
  return out;
}

io::Categories categories_of(const std::vector<Spellings>& classes) {
  io::Categories out;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    for (const std::string& text : classes[i]) out.add(text, static_cast<std::int64_t>(i));
  }
  return out;
}

}  // namespace

Selection select(io::Table& table, const Wanted& wanted) {
  const Columns columns(table);
  std::optional<Selection> found;
  if (wanted.by_position && !columns.has_any(wanted.features)) {
    found = select_matrices(table, columns, wanted);
  }
  if (!found) found = select_names(table, columns, wanted);
  if (!found->one_hot) table.categorise(found->columns.back(), categories_of(wanted.classes));
  return *std::move(found);
}

}  // namespace mase::data
