// CSV tables: whatever the text, whole rows of all columns or an error that names a line.
#include "mase/io/tables/csv_table.h"

#include <numeric>

#include "fuzz/harness.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  const fuzz::InputFile file(bytes);
  const auto table = io::open_csv_table(file.path());
  if (!table) return;
  std::vector<std::size_t> wanted((*table)->columns().size());
  std::iota(wanted.begin(), wanted.end(), std::size_t{0});
  std::int64_t rows = 0;
  const auto status =
      (*table)->read(wanted, [&](std::int64_t first, std::span<const double> piece) {
        fuzz::require(first == rows, "rows in order");
        fuzz::require(piece.size() % wanted.size() == 0, "whole rows");
        fuzz::require((*table)->where(first).line > 1, "rows know their line");
        rows += static_cast<std::int64_t>(piece.size() / wanted.size());
        return Status(std::monostate{});
      });
  fuzz::require(rows <= static_cast<std::int64_t>(bytes.size()), "rows in proportion");
  fuzz::require(status.ok() || status.error().where.line > 1, "errors name their line");
}
