// Named columns in NumPy's files. Headers tell the columns; only arrays that are wanted are
// unpacked.
#include "mase/io/tables/npy_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "mase/io/arrays/npz.h"

namespace mase::io {
namespace {

constexpr std::int64_t kRowsAtOnce = 8192;
constexpr std::size_t kMostColumns = 65536;
constexpr std::string_view kArraySuffix = ".npy";

class NpyTable : public Table {
 public:
  explicit NpyTable(const std::filesystem::path& path) : Table(path) {}

  Status open_array();
  Status open_archive();
  Status read(std::span<const std::size_t> wanted, const RowSink& sink) override;

 private:
  struct Column {
    NpyColumn place;
    std::size_t array = 0;  // member of the archive
  };

  Status add(std::vector<NpyColumn> columns, std::string_view prefix, std::size_t array);
  Status finish();
  // That all can be read, and have the same number of rows.
  Status check(std::span<const std::size_t> wanted) const;
  Result<Bytes> array(std::size_t index) const;
  Status read_piece(std::size_t column, std::span<const std::byte> bytes, std::int64_t first,
                    std::span<double> to, std::size_t step) const;

  std::vector<Column> places_;
  Bytes file_;  // of a single array
  std::optional<ZipReader> archive_;
};

Status NpyTable::open_array() {
  auto file = load_file(path_);
  if (!file) return file.error();
  file_ = *std::move(file);
  auto columns = npy_columns(file_.bytes, file_.bytes.size(), path_.string());
  if (!columns) return columns.error();
  if (columns->empty() || columns->front().name.empty() || columns->front().name[0] == '[') {
    return error("npy: a plain array without named columns");
  }
  if (auto status = add(*std::move(columns), "", 0); !status) return status;
  return finish();
}

Status NpyTable::open_archive() {
  auto archive = ZipReader::open(path_);
  if (!archive) return archive.error();
  archive_ = *std::move(archive);
  for (std::size_t i = 0; i < archive_->entries().size(); ++i) {
    const ZipEntry& entry = archive_->entries()[i];
    if (!entry.name.ends_with(kArraySuffix)) continue;
    const std::string name = entry.name.substr(0, entry.name.size() - kArraySuffix.size());
    std::vector<NpyColumn> found;
    const auto start = npy_member_start(*archive_, entry);
    auto columns = start ? npy_columns(start->bytes, entry.size, name)
                         : Result<std::vector<NpyColumn>>(start.error());
    if (columns) {
      found = *std::move(columns);
    } else {
      found.push_back({.problem = columns.error().message});
    }
    // The fields of a structured array have names of their own.
    const bool named =
        !found.empty() && !found.front().name.empty() && found.front().name[0] != '[';
    if (auto status = add(std::move(found), named ? "" : name, i); !status) return status;
  }
  return finish();
}

Status NpyTable::add(std::vector<NpyColumn> columns, std::string_view prefix, std::size_t array) {
  for (NpyColumn& column : columns) {
    if (places_.size() == kMostColumns) {
      return error(fmt::format("has more than {} columns", kMostColumns));
    }
    columns_.push_back(fmt::format("{}{}", prefix, column.name));
    places_.push_back({std::move(column), array});
  }
  return std::monostate{};
}

Status NpyTable::finish() {
  std::string reason;
  bool any = false;
  for (const auto& [place, array] : places_) {
    if (!place.problem.empty()) {
      reason = place.problem;
      continue;
    }
    if (!any) rows_ = place.rows;
    if (place.rows != rows_) rows_ = -1;  // those that are wanted decide
    any = true;
  }
  if (any) return std::monostate{};
  return error(reason.empty() ? "holds no columns"
                              : "holds no columns that can be read: " + reason);
}

Status NpyTable::check(std::span<const std::size_t> wanted) const {
  for (const std::size_t column : wanted) {
    const NpyColumn& place = places_.at(column).place;
    const NpyColumn& first = places_.at(wanted.front()).place;
    const std::string name = brief(columns_[column]);
    if (!place.problem.empty()) return error(fmt::format("column {} {}", name, place.problem));
    if (place.is_text() && categories(column) == nullptr) {
      return error(fmt::format("column {} holds texts, not numbers", name));
    }
    if (place.rows != first.rows) {
      return error(fmt::format("column {} has {} rows, but {} has {}", name, place.rows,
                               brief(columns_[wanted.front()]), first.rows));
    }
  }
  return std::monostate{};
}

Result<Bytes> NpyTable::array(std::size_t index) const {
  if (!archive_) return file_;
  return npy_member(*archive_, archive_->entries()[index]);
}

Status NpyTable::read_piece(std::size_t column, std::span<const std::byte> bytes,
                            std::int64_t first, std::span<double> to, std::size_t step) const {
  const NpyColumn& place = places_[column].place;
  const auto count = static_cast<std::int64_t>((to.size() + step - 1) / step);
  if (place.is_text()) {
    const Categories& classes = *categories(column);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string text = npy_text(place, bytes, first + i);
      const std::int64_t number = classes.of(text);
      if (number < 0) return no_category(column, first + i, text);
      to[static_cast<std::size_t>(i) * step] = static_cast<double>(number);
    }
    return std::monostate{};
  }
  const auto numbers = npy_numbers(place, bytes, first, count);
  if (!numbers) {
    return error(fmt::format("column {}: {}", brief(columns_[column]), numbers.error().message));
  }
  const auto from = numbers->values<double>();
  for (std::size_t i = 0; i < from.size(); ++i) to[i * step] = from[i];
  return categorise_numbers(column, first, to, step);
}

Status NpyTable::read(std::span<const std::size_t> wanted, const RowSink& sink) {
  if (wanted.empty()) return std::monostate{};
  if (auto status = check(wanted); !status) return status;
  std::map<std::size_t, Bytes> arrays;
  for (const std::size_t column : wanted) {
    const std::size_t index = places_[column].array;
    if (arrays.contains(index)) continue;
    auto bytes = array(index);
    if (!bytes) return bytes.error();
    arrays.emplace(index, *std::move(bytes));
  }
  const std::int64_t rows = places_[wanted.front()].place.rows;
  std::vector<double> values(static_cast<std::size_t>(std::min(rows, kRowsAtOnce)) * wanted.size());
  for (std::int64_t first = 0; first < rows; first += kRowsAtOnce) {
    const auto count = static_cast<std::size_t>(std::min(kRowsAtOnce, rows - first));
    const auto piece = std::span(values).first(count * wanted.size());
    for (std::size_t c = 0; c < wanted.size(); ++c) {
      auto status = read_piece(wanted[c], arrays.at(places_[wanted[c]].array).bytes, first,
                               piece.subspan(c), wanted.size());
      if (!status) return status;
    }
    if (auto status = sink(first, piece); !status) return status;
  }
  return std::monostate{};
}

}  // namespace

Result<std::unique_ptr<Table>> open_npy_table(const std::filesystem::path& path) {
  auto table = std::make_unique<NpyTable>(path);
  if (auto status = table->open_array(); !status) return status.error();
  return std::unique_ptr<Table>(std::move(table));
}

Result<std::unique_ptr<Table>> open_npz_table(const std::filesystem::path& path) {
  auto table = std::make_unique<NpyTable>(path);
  if (auto status = table->open_archive(); !status) return status.error();
  return std::unique_ptr<Table>(std::move(table));
}

}  // namespace mase::io
