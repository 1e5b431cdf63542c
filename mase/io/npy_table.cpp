// Named columns in NumPy's files.
#include "mase/io/npy_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/io/npz.h"

namespace mase::io {
namespace {

constexpr std::int64_t kRowsAtOnce = 8192;

class ColumnTable : public Table {
 public:
  ColumnTable(const std::filesystem::path& path, ir::State columns)
      : Table(path), values_(std::move(columns)) {}

  Status check();
  Status read(std::span<const std::size_t> wanted, const RowSink& sink) override;

 private:
  ir::State values_;
};

Status ColumnTable::check() {
  for (const auto& [name, column] : values_) {
    if (column.shape().size() != 1) {
      return error(fmt::format("column {} has shape {}, not one value per row", name,
                               ir::text(column.shape())));
    }
    if (rows_ < 0) rows_ = column.dim(0);
    if (column.dim(0) != rows_) {
      return error(fmt::format("column {} has {} rows, but {} has {}", name, column.dim(0),
                               columns_.front(), rows_));
    }
    columns_.push_back(name);
  }
  if (columns_.empty()) return error("holds no columns of numbers");
  return std::monostate{};
}

Status ColumnTable::read(std::span<const std::size_t> wanted, const RowSink& sink) {
  std::vector<double> values(static_cast<std::size_t>(kRowsAtOnce) * wanted.size());
  for (std::int64_t first = 0; first < rows_; first += kRowsAtOnce) {
    const auto count = static_cast<std::size_t>(std::min(kRowsAtOnce, rows_ - first));
    for (std::size_t c = 0; c < wanted.size(); ++c) {
      const ir::Tensor piece = values_.at(wanted[c])
                                   .second.rows(first, static_cast<std::int64_t>(count))
                                   .to(ir::DType::Float64);
      const auto from = piece.values<double>();
      for (std::size_t i = 0; i < count; ++i) values[i * wanted.size() + c] = from[i];
    }
    if (auto status = sink(first, std::span(values).first(count * wanted.size())); !status) {
      return status;
    }
  }
  return std::monostate{};
}

Result<std::unique_ptr<Table>> make_table(const std::filesystem::path& path,
                                          Result<ir::State> columns) {
  if (!columns) return columns.error();
  auto table = std::make_unique<ColumnTable>(path, std::move(columns).value());
  if (auto status = table->check(); !status) return status.error();
  return std::unique_ptr<Table>(std::move(table));
}

}  // namespace

Result<std::unique_ptr<Table>> open_npy_table(const std::filesystem::path& path) {
  return make_table(path, read_npy_columns(path));
}

Result<std::unique_ptr<Table>> open_npz_table(const std::filesystem::path& path) {
  const auto archive = NpzReader::open(path);
  if (!archive) return archive.error();
  const auto names = archive->names();
  if (names.size() == 1) {
    if (auto columns = archive->read_columns(names.front())) {
      return make_table(path, std::move(columns));
    }
  }
  return make_table(path, read_npz(path));
}

}  // namespace mase::io
