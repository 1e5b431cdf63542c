#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mase/io/bytes.h"
#include "mase/ir/graph.h"

namespace mase::io {

// A safetensors file: named tensors and texts. Its order is the order of the header.
struct SafeTensors {
  ir::State tensors;
  std::vector<std::pair<std::string, std::string>> metadata = {};
};

// Element types without an ir::DType are ReadErrors that name them.
Result<SafeTensors> read_safetensors(const std::filesystem::path& path);
// Whether the bytes start like one: the length of a header that begins with '{' and lies inside.
bool looks_like_safetensors(std::span<const std::byte> bytes);
Result<SafeTensors> parse_safetensors(std::span<const std::byte> bytes,
                                      const std::string& file_name);

std::string safetensors_bytes(const SafeTensors& content);
// Throws Error{RunFailed} if the file cannot be written; the previous file then stays whole.
void write_safetensors(const std::filesystem::path& path, const SafeTensors& content);

}  // namespace mase::io
