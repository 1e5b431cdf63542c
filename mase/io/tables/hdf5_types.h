#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mase/io/tables/hdf5_library.h"

// Types of HDF5 elements: which numbers they hold, and where.
namespace mase::io::hdf5 {

// How a number or a text lies in memory: a text within a fixed number of bytes or behind a pointer.
// None: what is neither.
enum class Native {
  None,
  FixedText,
  Text,
  I8,
  U8,
  I16,
  U16,
  I32,
  U32,
  I64,
  U64,
  F32,
  F64,
  LongDouble
};

inline bool is_text(Native kind) {
  return kind == Native::FixedText || kind == Native::Text;
}

// Of the machine's own representation of a type (H5Tget_native_type). Enumerations are their
// values, bit fields (PyTables' booleans) unsigned numbers.
Native native_kind(hid_t type);

// The text at a place, without padding; `size` of a FixedText.
std::string_view text_at(Native kind, const std::byte* from, std::size_t size);

// `count` numbers, `step` bytes apart, to doubles `to_step` apart.
void widen(Native kind, const std::byte* from, std::size_t step, double* to, std::size_t to_step,
           std::size_t count);

// A number or text within an element.
struct Leaf {
  std::string name;        // "j_mass", "position[2]", "beam/energy"
  std::size_t offset = 0;  // bytes from the start of the element's native form
  Native kind = Native::None;
  std::size_t size = 0;  // bytes
};

// All leaves of a native type called `name`: of compound types, arrays and what is nested in them,
// at most `most` of them; nullopt where there are more. What is no number is one leaf of kind None.
std::optional<std::vector<Leaf>> leaves_of(hid_t native, const std::string& name, std::size_t most);

// All strings of a dataset or attribute of text or integers (as decimal digits), of at most `most`
// elements; nullopt if it is something else or larger.
std::optional<std::vector<std::string>> dataset_texts(hid_t dataset, std::size_t most);
std::optional<std::vector<std::string>> attribute_texts(hid_t object, const char* name,
                                                        std::size_t most);
// Of a single string.
std::optional<std::string> attribute_text(hid_t object, const char* name);

}  // namespace mase::io::hdf5
