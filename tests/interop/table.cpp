// interop_table TABLE OUT.npz: the columns of numbers of a table, each as an array of doubles.
#include <fmt/format.h>

#include <cstdio>

#include "mase/io/arrays/npz.h"
#include "mase/io/tables/open_table.h"
#include "mase/support/error.h"

namespace {

using namespace mase;

// Whether the column can be read as numbers; texts cannot.
Status read_column(io::Table& table, std::size_t column, std::vector<double>& to) {
  const std::vector<std::size_t> wanted = {column};
  return table.read(wanted, [&](std::int64_t, std::span<const double> values) {
    to.insert(to.end(), values.begin(), values.end());
    return Status(std::monostate{});
  });
}

void convert(const char* from, const char* to) {
  const io::TablePath path = io::split_table_path(from);
  const auto table = io::open_table(path.file, path.inside).or_throw();
  ir::State out;
  for (std::size_t i = 0; i < table->columns().size(); ++i) {
    std::vector<double> values;
    if (!read_column(*table, i, values)) continue;
    ir::Tensor column({static_cast<std::int64_t>(values.size())}, ir::DType::Float64);
    std::copy(values.begin(), values.end(), column.values_mut<double>().begin());
    out.emplace_back(table->columns()[i], column);
  }
  io::write_npz(to, out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: interop_table TABLE OUT.npz\n");
    return 2;
  }
  try {
    convert(argv[1], argv[2]);
  } catch (const mase::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return mase::exit_code(error.kind());
  }
  return 0;
}
