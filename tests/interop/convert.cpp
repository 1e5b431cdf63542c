// interop_convert IN OUT: reads tensors from a checkpoint, npy, npz or safetensors file and writes
// them in the format of OUT's suffix. A checkpoint written as .ckpt keeps all it held.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "mase/io/arrays/npz.h"
#include "mase/io/arrays/safetensors.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/error.h"

namespace {

namespace fs = std::filesystem;
using namespace mase;

io::Checkpoint read(const fs::path& path) {
  const std::string suffix = path.extension();
  if (suffix == ".npz") return {.state = io::read_npz(path).or_throw()};
  if (suffix == ".safetensors") return {.state = io::read_safetensors(path).or_throw().tensors};
  if (suffix == ".npy") {
    auto columns = io::read_npy_columns(path);
    if (columns) return {.state = *std::move(columns)};
    return {.state = {{"array", io::read_npy(path).or_throw()}}};
  }
  return io::read_checkpoint(path).or_throw();
}

void write(const fs::path& path, const io::Checkpoint& content) {
  const std::string suffix = path.extension();
  if (suffix == ".npz") {
    io::write_npz(path, content.state);
  } else if (suffix == ".safetensors") {
    io::write_safetensors(path, {content.state, {{"writer", "mase"}}});
  } else if (suffix == ".npy") {
    io::write_npy(path, content.state.at(0).second);
  } else if (suffix == ".ckpt") {
    io::write_lightning_checkpoint(path, content);
  } else {
    io::write_state_dict(path, content.state);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: interop_convert IN OUT\n");
    return 2;
  }
  try {
    write(argv[2], read(argv[1]));
  } catch (const mase::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return mase::exit_code(error.kind());
  }
  return 0;
}
