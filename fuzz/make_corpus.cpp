// make_corpus FOLDER: writes seeds for the fuzz targets to FOLDER/small/<target>/ and
// FOLDER/large/<target>/.
#include <fmt/format.h>

#include <cstdio>

#include "fuzz/seeds.h"
#include "mase/support/error.h"
#include "mase/support/files.h"

namespace {

using namespace mase;

void write_seeds(const std::filesystem::path& folder, std::span<const fuzz::Seeds> rows) {
  for (const auto& [target, make] : rows) {
    create_folder(folder / target);
    make(folder / target);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: make_corpus FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  try {
    write_seeds(folder / "small", fuzz::reader_seeds());
    write_seeds(folder / "small", fuzz::program_seeds());
    write_seeds(folder / "large", fuzz::large_seeds());
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return exit_code(error.kind());
  }
  return 0;
}
