#pragma once

#include <string>
#include <vector>

#include "mase/io/tables/hdf5_library.h"

// What an HDF5 file holds, as far as tables are concerned.
namespace mase::io::hdf5 {

struct Array {
  std::string path;  // "/events/jets"
  H5T_class_t family = H5T_NO_CLASS;
  std::vector<hsize_t> shape;
  int members = 0;  // of a compound type

  std::string name() const { return path.substr(path.rfind('/') + 1); }
  std::string text() const;  // "/events/jets [400, 16]"
};

struct Group {
  std::string path;
  std::string pandas_type;  // "frame", "frame_table"; "" where pandas did not write it
  std::vector<Array> arrays;

  const Array* find(std::string_view name) const;
};

struct Contents {
  std::vector<Group> groups;            // those above before those within
  std::vector<std::string> unreadable;  // "/t cannot be opened: truncated file"
  std::vector<std::string> refused;     // "/t is a link to x in the file b.h5; ..."
};

// The groups at and below `start` with their arrays, each object once however many links lead to
// it. At most kMostLinks links are looked at, in groups at most kDeepest deep: an error beyond.
inline constexpr std::size_t kMostLinks = 20'000;
inline constexpr int kDeepestGroup = 32;
Result<Contents> list_contents(const File& file, const std::string& start);

// An array by its path; one without a shape if it cannot be opened or is a group.
Array describe_array(const File& file, const std::string& path);

}  // namespace mase::io::hdf5
