// Opening data sets by name or path, and what all of them share.
#include "mase/data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

#include "mase/data/lookup.h"
#include "mase/io/tables/open_table.h"
#include "mase/support/diagnostics.h"
#include "mase/support/error.h"
#include "mase/support/shuffle.h"
#include "mase/support/suggest.h"

namespace mase::data {

extern const DataSetRow kJsc;

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return (x == '-' ? '_' : std::tolower(x)) == (y == '-' ? '_' : std::tolower(y));
  });
}

[[noreturn]] void not_supported(std::string_view name) {
  std::vector<std::string> names;
  for (const DataSetRow* row : data_sets()) names.emplace_back(row->name);
  std::string hint = did_you_mean(name, names);
  if (hint.empty()) hint = fmt::format("the data sets are {}", fmt::join(names, ", "));
  usage_error(fmt::format("Dataset {} is not supported", name), {}, std::move(hint));
}

struct Found {
  const DataSetRow* row;
  std::filesystem::path source;  // empty: the row's own
};

// A path is taken for a table of jets.
Found find(std::string_view name_or_path) {
  if (const DataSetRow* row = find_data_set(name_or_path)) return {row, {}};
  const std::filesystem::path path(name_or_path);
  std::error_code code;
  if (std::filesystem::exists(io::split_table_path(path).file, code)) return {&kJsc, path};
  if (!path.has_parent_path() && !path.has_extension()) not_supported(name_or_path);
  throw Error(ErrorKind::Unreadable, "file not found", {.file = path.string()});
}

void check_columns(const Found& found, const ColumnMap& columns) {
  if (columns.empty()) return;
  if (!found.row->is_table) {
    usage_error(fmt::format("{} is no table: its columns cannot be chosen", found.row->name), {},
                "leave --columns and [data] out, or name a table by its path");
  }
  ColumnMap copy = columns;
  Diagnostics problems;
  for (std::string& problem : expand(copy)) problems.add(std::move(problem));
  problems.throw_if_any();
}

// Moves a share of the training rows to the validation split. Both keep their order.
void split_validation(DataSet& set, double fraction, std::uint64_t seed) {
  const std::int64_t rows = set.train.rows();
  const auto wanted = static_cast<std::int64_t>(std::ceil(fraction * static_cast<double>(rows)));
  if (wanted >= rows) {
    usage_error(fmt::format("a validation fraction of {} leaves none of the {} training rows",
                            fraction, rows));
  }
  std::vector<std::uint32_t> order(static_cast<std::size_t>(rows));
  shuffle(combine_keys(seed, 0x76616c6964ull), order);  // not the stream of any epoch
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(wanted);
  std::sort(order.begin(), middle);
  std::sort(middle, order.end());
  const auto all = std::span<const std::uint32_t>(order);
  set.validation = take(set.train, all.first(static_cast<std::size_t>(wanted)));
  set.train = take(set.train, all.subspan(static_cast<std::size_t>(wanted)));
}

}  // namespace

const DataSetRow* find_data_set(std::string_view name) {
  for (const DataSetRow* row : data_sets()) {
    if (same_name(row->name, name)) return row;
  }
  return nullptr;
}

DataSet open(std::string_view name_or_path, const OpenOptions& options) {
  if (!(options.val_fraction >= 0 && options.val_fraction < 1)) {
    usage_error(fmt::format("the validation fraction must be at least 0 and below 1, not {}",
                            options.val_fraction));
  }
  check_data_dir(options);
  const Found found = find(name_or_path);
  check_columns(found, options.columns);
  DataSet set = found.row->open(options, found.source);
  if (options.val_fraction > 0) {
    split_validation(set, options.val_fraction, options.seed);
  } else if (set.validation.features.data() == set.train.features.data()) {
    options.tell(
        LogLevel::Info,
        fmt::format(
            "{}: validation uses the training rows; set a validation fraction to hold rows back",
            set.info.name));
  }
  return set;
}

Info info(std::string_view name_or_path, const ColumnMap& columns) {
  const Found found = find(name_or_path);
  check_columns(found, columns);
  return found.row->info(columns);
}

Split take(const Split& split, std::span<const std::uint32_t> rows) {
  ir::Shape shape = split.features.shape();
  const std::size_t width =
      split.rows() == 0 ? 0 : split.features.bytes() / static_cast<std::size_t>(split.rows());
  shape[0] = static_cast<std::int64_t>(rows.size());
  Split out{ir::Tensor(std::move(shape), split.features.dtype()),
            ir::Tensor({static_cast<std::int64_t>(rows.size())}, ir::DType::Int64)};
  std::byte* to = out.features.data_mut();
  const auto from = split.labels.values<std::int64_t>();
  const auto labels = out.labels.values_mut<std::int64_t>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] >= from.size()) internal_error("a row beyond the end of the split");
    std::memcpy(to + i * width, split.features.data() + rows[i] * width, width);
    labels[i] = from[rows[i]];
  }
  return out;
}

}  // namespace mase::data
