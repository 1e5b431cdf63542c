// What opening a jet table of the published size costs: time and peak memory of preparing it from
// gzip and from lzf, and of loading it from the cache. Makes its tables by repeating a file of jets
// with noise.
//   data_bench JETS [ROWS] [MEMBERS]     JETS: an HDF5 file of jets, e.g. data/jsc/jsc_generated.h5
#include <fmt/format.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "mase/data/dataset.h"
#include "mase/io/hdf5_lzf.h"
#include "mase/io/hdf5_table.h"

namespace {

namespace fs = std::filesystem;

struct Jets {
  std::vector<double> values;  // [rows, 21]: features, then one-hot labels
  std::size_t rows = 0;
};

Jets read_jets(const fs::path& path, const std::vector<std::string>& names) {
  const auto table = mase::io::open_hdf5_table(path, "t_allpar_new").or_throw();
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
               return mase::Status(std::monostate{});
             })
      .or_throw();
  return jets;
}

// The published file has some 70 members: those that nobody reads stand before the others.
void write_jets(const fs::path& path, const Jets& jets, const std::vector<std::string>& names,
                std::size_t rows, std::size_t members, bool lzf) {
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
  if (lzf) {
    H5Pset_filter(creation, mase::io::kLzfFilter, H5Z_FLAG_OPTIONAL, 0, nullptr);
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

// Runs the work in a process of its own, so that its peak memory is known.
void measure(std::string_view what, double table_bytes, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  struct rusage usage = {};
  ::wait4(child, &status, 0, &usage);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto seconds_of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  const double cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  const double peak = 1024.0 * static_cast<double>(usage.ru_maxrss);
  fmt::print("{:<34} {:>8.3f} s {:>8.3f} s {:>7.1f} MB {:>5.2f}{}\n", what, seconds, cpu,
             peak / 1e6, peak / table_bytes, status == 0 ? "" : "  FAILED");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: data_bench JETS [ROWS] [MEMBERS]\n");
    return 2;
  }
  const std::size_t rows = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 830000;
  const std::size_t members = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 21;
  const fs::path folder = fs::temp_directory_path() / fmt::format("mase_data_bench_{}", ::getpid());
  fs::create_directories(folder);
  ::setenv("MASE_CACHE_DIR", (folder / "cache").c_str(), 1);

  std::vector<std::string> names = mase::data::info("jsc").feature_names;
  for (const auto& name : mase::data::info("jsc").class_names) names.push_back(name);
  const fs::path gzip = folder / "gzip.h5";
  const fs::path lzf = folder / "lzf.h5";
  const double table = static_cast<double>(rows) * (16 * sizeof(float) + sizeof(std::int64_t));
  fmt::print("{:<34} {:>10} {:>10} {:>10} {:>5}\n", "", "wall", "CPU", "peak", "x table");
  // The tables are made in a child too: what it leaves behind would count for the others.
  measure("make the two tables", table, [&] {
    mase::io::register_lzf_filter();
    const Jets jets = read_jets(argv[1], names);
    write_jets(gzip, jets, names, rows, members, false);
    write_jets(lzf, jets, names, rows, members, true);
  });
  fmt::print("{} rows of {} members: gzip {:.1f} MB, lzf {:.1f} MB\n", rows, members,
             static_cast<double>(fs::file_size(gzip)) / 1e6,
             static_cast<double>(fs::file_size(lzf)) / 1e6);

  const auto open = [](const fs::path& path, bool use_cache) {
    const auto set = mase::data::open(path.string(), {.use_cache = use_cache});
    // Touch every row, as a first epoch would.
    const auto values = set.train.features.values<float>();
    volatile double sum = std::accumulate(values.begin(), values.end(), 0.0);
    static_cast<void>(sum);
  };
  measure("nothing", table, [] {});
  measure("prepare from gzip, no cache", table, [&] { open(gzip, false); });
  measure("prepare from lzf, no cache", table, [&] { open(lzf, false); });
  measure("prepare from gzip, fill the cache", table, [&] { open(gzip, true); });
  for (int i = 0; i < 3; ++i) measure("load from the cache", table, [&] { open(gzip, true); });
  measure("one epoch's order", table, [&] {
    mase::data::Loader loader(static_cast<std::int64_t>(rows), 256, true, 1);
    loader.start_epoch(1);
  });
  fs::remove_all(folder);
  return 0;
}
