#pragma once

#include <hdf5.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

// Writes HDF5 tables of odd kinds with the library's own functions, for the tests of the reader.
namespace mase::io {

struct WrittenColumn {
  std::string name;
  hid_t type = H5T_NATIVE_FLOAT;                  // as it lies in the file
  std::function<double(std::size_t)> value = {};  // of a row; 0 without
};

struct WrittenTable {
  std::string name = "table";
  std::vector<WrittenColumn> columns;
  std::size_t rows = 0;
  std::size_t chunk = 0;  // rows; 0: contiguous
  std::vector<H5Z_filter_t> filters = {};
};

inline void write_hdf5_table(hid_t file, const WrittenTable& table) {
  std::size_t bytes = 0;
  for (const auto& column : table.columns) bytes += H5Tget_size(column.type);
  const hid_t file_type = H5Tcreate(H5T_COMPOUND, bytes);
  const hid_t memory_type = H5Tcreate(H5T_COMPOUND, 8 * table.columns.size());
  for (std::size_t i = 0, offset = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    H5Tinsert(file_type, column.name.c_str(), offset, column.type);
    offset += H5Tget_size(column.type);
    if (H5Tget_class(column.type) == H5T_INTEGER || H5Tget_class(column.type) == H5T_FLOAT) {
      H5Tinsert(memory_type, column.name.c_str(), 8 * i, H5T_NATIVE_DOUBLE);
    }
  }
  const hsize_t rows = table.rows;
  const hid_t space = H5Screate_simple(1, &rows, nullptr);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  if (table.chunk > 0) {
    const hsize_t chunk = table.chunk;
    H5Pset_chunk(creation, 1, &chunk);
  }
  for (const H5Z_filter_t filter : table.filters) {
    const unsigned level = 4;
    const bool deflate = filter == H5Z_FILTER_DEFLATE;
    H5Pset_filter(creation, filter, H5Z_FLAG_OPTIONAL, deflate ? 1 : 0, &level);
  }
  const hid_t dataset =
      H5Dcreate2(file, table.name.c_str(), file_type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  std::vector<double> values(table.rows * table.columns.size());
  for (std::size_t row = 0; row < table.rows; ++row) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const auto& column = table.columns[i];
      values[row * table.columns.size() + i] = column.value ? column.value(row) : 0.0;
    }
  }
  if (table.rows > 0) {
    H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }
  H5Dclose(dataset);
  H5Pclose(creation);
  H5Sclose(space);
  H5Tclose(memory_type);
  H5Tclose(file_type);
}

inline void write_hdf5_file(const std::string& path, const std::vector<WrittenTable>& tables) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (const auto& table : tables) write_hdf5_table(file, table);
  H5Fclose(file);
}

// Arrays and texts beside tables. Groups on the way are made.
inline hid_t making_groups() {
  static const hid_t list = [] {
    const hid_t made = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(made, 1);
    return made;
  }();
  return list;
}

inline void write_hdf5_array(hid_t file, const std::string& path, const std::vector<hsize_t>& shape,
                             const std::vector<double>& values, hid_t type = H5T_IEEE_F64LE) {
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t dataset =
      H5Dcreate2(file, path.c_str(), type, space, making_groups(), H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(dataset);
  H5Sclose(space);
}

inline void write_hdf5_texts(hid_t file, const std::string& path,
                             const std::vector<std::string>& texts) {
  const hsize_t count = texts.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  const hid_t dataset =
      H5Dcreate2(file, path.c_str(), type, space, making_groups(), H5P_DEFAULT, H5P_DEFAULT);
  std::vector<const char*> pointers;
  for (const auto& text : texts) pointers.push_back(text.c_str());
  H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data());
  H5Dclose(dataset);
  H5Tclose(type);
  H5Sclose(space);
}

}  // namespace mase::io
