#pragma once

#include <filesystem>
#include <string>

#include "mase/io/bytes.h"
#include "mase/ir/graph.h"

// NumPy arrays (.npy, format versions 1 to 3) and archives of them (.npz).
namespace mase::io {

// An array as a row-major tensor: Fortran order and big-endian bytes are rearranged. uint16 becomes
// int32, uint32 and uint64 become int64 (a ReadError if a value does not fit). Arrays of texts,
// complex numbers or Python objects are ReadErrors that say so; so is a structured array
// (read_npy_columns).
Result<ir::Tensor> read_npy(const std::filesystem::path& path);
Result<ir::Tensor> parse_npy(std::span<const std::byte> bytes, const std::string& file_name);

// A structured array (dtype with named fields, as tables are saved): each field as a tensor
// [rows, ...]. Fields that are no numbers are left out.
Result<ir::State> read_npy_columns(const std::filesystem::path& path);
Result<ir::State> parse_npy_columns(std::span<const std::byte> bytes, const std::string& file_name);

// Version 1.0, row-major. bfloat16, which NumPy does not have, is written as float32.
std::string npy_bytes(const ir::Tensor& tensor);
void write_npy(const std::filesystem::path& path, const ir::Tensor& tensor);

}  // namespace mase::io
