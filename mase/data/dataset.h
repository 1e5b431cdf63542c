#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/data/columns.h"
#include "mase/ir/tensor.h"
#include "mase/support/log.h"

// Data sets: one row each (DataSetRow), opened into tensors that loaders draw batches from.
namespace mase::data {

enum class Task { ImageClassification, PhysicalDataPointClassification };

// What a model needs to know of the data.
struct Info {
  std::string name;  // "jsc"
  Task task = Task::PhysicalDataPointClassification;
  std::int64_t num_classes = 0;
  std::int64_t num_features = 0;  // elements of one sample
  ir::Shape sample_shape;         // [16], [1, 28, 28]
  std::vector<std::string> feature_names = {};
  std::vector<std::string> class_names = {};
};

// One split: features [N, ...sample_shape] float32, labels [N] int64.
struct Split {
  ir::Tensor features;
  ir::Tensor labels;
  bool defined() const { return features.defined(); }
  std::int64_t rows() const { return defined() ? features.dim(0) : 0; }
};

// Takes the log lines of opening a data set, each with its level.
using LogSink = std::function<void(LogLevel, std::string_view)>;

struct OpenOptions {
  std::filesystem::path data_dir =
      {};                     // --data-dir; then MASE_DATA_DIR, the user's cache, the repo
  double val_fraction = 0.0;  // 0: validation = training rows, as the original
  std::uint64_t seed = 0;     // of the validation split
  bool use_cache = true;
  LogSink log = nullptr;
  ColumnMap columns = {};  // of a table

  void tell(LogLevel level, std::string_view line) const {
    if (log) log(level, line);
  }
};

struct DataSet {
  Info info;
  Split train;
  Split validation;
  Split test;
  Split predict;
  std::string source;  // path or "generated": where the rows came from
  // SHA-256 of the source, hexadecimal. Of several files: of their hashes; of a table with a map of
  // its columns: of its hash and the map.
  std::string hash;
};

// A file of a data set as it is published.
struct RemoteFile {
  std::string_view name;
  std::string_view sha256 = "";  // "" = not known
  // Whether a download is the file at all, where the hash is not known.
  bool (*looks_right)(const std::filesystem::path&) = nullptr;
};

struct DataSetRow {
  std::string_view name;
  std::string_view summary;
  Info (*info)(const ColumnMap& columns) = nullptr;
  bool is_table = false;  // has columns that a ColumnMap can choose from
  DataSet (*open)(const OpenOptions&, const std::filesystem::path& source) = nullptr;
  std::string_view download_url = "";      // of the file, or with a '/' at the end of its folder
  std::span<const RemoteFile> files = {};  // none = nothing to download
};

// All data sets, sorted by name (data/table.cpp).
std::span<const DataSetRow* const> data_sets();
const DataSetRow* find_data_set(std::string_view name);  // case and -/_ do not matter

// By name ("jsc") or by the path of a file in a format of the jet table (HDF5, npy, npz, csv); one
// of several tables in an HDF5 file is "jets.h5:/events/jets".
// Throws Error{Usage} "Dataset <name> is not supported" with the nearest names, Error{Unreadable}
// for a file that is missing or damaged.
DataSet open(std::string_view name_or_path, const OpenOptions& options = {});
// What a model needs to know, without opening the data. Throws Error{Usage} for a map of columns
// that cannot be used, or of a data set that is no table.
Info info(std::string_view name_or_path, const ColumnMap& columns = {});

// The order in which an epoch visits rows: a permutation that depends on (seed, epoch) only, or
// 0, 1, 2, ... without shuffling. Batches are consecutive pieces; the last may be short.
class Loader {
 public:
  Loader(std::int64_t rows, std::int64_t batch_size, bool shuffle, std::uint64_t seed);

  void start_epoch(std::int64_t epoch);
  std::int64_t batches() const;
  std::span<const std::uint32_t> batch(std::int64_t i) const;

 private:
  std::int64_t rows_;
  std::int64_t batch_size_;
  bool shuffle_;
  std::uint64_t seed_;
  std::vector<std::uint32_t> order_;
};

// The rows of a split as one dense tensor pair (for forward passes and dummy inputs).
Split take(const Split& split, std::span<const std::uint32_t> rows);

}  // namespace mase::data
