// A jet file of any size, as h5py writes structured arrays: one chunked dataset of records.
#include "bench/jets_file.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <bit>
#include <random>
#include <string>
#include <vector>

#include "mase/data/dataset.h"
#include "mase/io/tables/hdf5_lzf.h"
#include "mase/io/tables/hdf5_table.h"

namespace mase::bench {
namespace {

namespace fs = std::filesystem;

struct Jets {
  std::vector<double> values;  // [rows, 21]: features, then one-hot labels
  std::size_t rows = 0;
};

Jets read_jets(const fs::path& path, const std::vector<std::string>& names) {
  const auto table = io::open_hdf5_table(path, "t_allpar_new").or_throw();
  std::vector<std::size_t> wanted;
  for (const auto& name : names) {
    const auto at = std::find(table->columns().begin(), table->columns().end(), name);
    wanted.push_back(static_cast<std::size_t>(at - table->columns().begin()));
  }
  Jets jets{.rows = static_cast<std::size_t>(table->rows())};
  table
      ->read(wanted,
             [&](std::int64_t, std::span<const double> values) {
               jets.values.insert(jets.values.end(), values.begin(), values.end());
               return Status(std::monostate{});
             })
      .or_throw();
  return jets;
}

// The published file has some 70 members: those that nobody reads stand before the others.
void write_records(const fs::path& path, const Jets& jets, const std::vector<std::string>& names,
                   const JetsFile& wanted) {
  const std::size_t members = wanted.members;
  const std::size_t rows = wanted.rows;
  const std::size_t idle = members - names.size();
  const hid_t type = H5Tcreate(H5T_COMPOUND, 4 * members);
  for (std::size_t i = 0; i < members; ++i) {
    const std::string name = i < idle ? fmt::format("unused_{}", i) : names[i - idle];
    H5Tinsert(type, name.c_str(), 4 * i, i + 5 < members ? H5T_IEEE_F32LE : H5T_STD_I32LE);
  }
  const hsize_t size = rows;
  const hsize_t chunk = 8192;
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &chunk);
  H5Pset_shuffle(creation);
  if (wanted.lzf) {
    H5Pset_filter(creation, io::kLzfFilter, H5Z_FLAG_OPTIONAL, 0, nullptr);
  } else {
    H5Pset_deflate(creation, 4);
  }
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(1, &size, nullptr);
  const hid_t dataset =
      H5Dcreate2(file, "t_allpar_new", type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  std::mt19937 random(1);
  std::normal_distribution<double> noise(1.0, 1e-3);
  std::vector<std::uint32_t> piece;
  for (std::size_t first = 0; first < rows; first += chunk) {
    const hsize_t start = first;
    const hsize_t count = std::min<std::size_t>(chunk, rows - first);
    piece.assign(count * members, 0);
    for (std::size_t row = 0; row < count; ++row) {
      const double* from = jets.values.data() + (first + row) % jets.rows * names.size();
      for (std::size_t i = 0; i < members; ++i) {
        std::uint32_t& to = piece[row * members + i];
        const std::size_t column = i < idle ? i % 16 : i - idle;
        to = column < 16
                 ? std::bit_cast<std::uint32_t>(static_cast<float>(from[column] * noise(random)))
                 : static_cast<std::uint32_t>(from[column]);
      }
    }
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, nullptr, &count, nullptr);
    const hid_t memory = H5Screate_simple(1, &count, nullptr);
    H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, piece.data());
    H5Sclose(memory);
  }
  H5Dclose(dataset);
  H5Sclose(space);
  H5Fclose(file);
  H5Pclose(creation);
  H5Tclose(type);
}

}  // namespace

void write_jets(const fs::path& path, const JetsFile& file) {
  std::vector<std::string> names = data::info("jsc").feature_names;
  for (const auto& name : data::info("jsc").class_names) names.push_back(name);
  io::register_lzf_filter();
  write_records(path, read_jets(file.source, names), names, file);
}

}  // namespace mase::bench
