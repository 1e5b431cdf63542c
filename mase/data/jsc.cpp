// jsc, jet substructure classification: which particle began a jet, from 16 high-level features.
// The published sample is the "hls4ml LHC jets" one (Pierini, Duarte, Tran, Freytsis; Zenodo
// 3602260); docs/data.md describes it and the simulated sample that the project carries.
#include <fmt/format.h>

#include <array>

#include "mase/data/cache.h"
#include "mase/data/dataset.h"
#include "mase/data/lookup.h"
#include "mase/data/prepare.h"
#include "mase/io/hdf5_file.h"
#include "mase/io/open_table.h"

namespace mase::data {
namespace {

constexpr std::string_view kFileName =
    "processed-pythia82-lhc13-all-pt1-50k-r1_h022_e0175_t220_nonu_truth.z";
constexpr std::string_view kTableName = "t_allpar_new";
constexpr RemoteFile kFiles[] = {{.name = kFileName, .looks_right = io::is_whole_hdf5}};

Info jsc_info() {
  return {.name = "jsc",
          .task = Task::PhysicalDataPointClassification,
          .num_classes = 5,
          .num_features = 16,
          .sample_shape = {16},
          .feature_names = {"j_zlogz", "j_c1_b0_mmdt", "j_c1_b1_mmdt", "j_c1_b2_mmdt",
                            "j_c2_b1_mmdt", "j_c2_b2_mmdt", "j_d2_b1_mmdt", "j_d2_b2_mmdt",
                            "j_d2_a1_b1_mmdt", "j_d2_a1_b2_mmdt", "j_m2_b1_mmdt", "j_m2_b2_mmdt",
                            "j_n2_b1_mmdt", "j_n2_b2_mmdt", "j_mass_mmdt", "j_multiplicity"},
          .class_names = {"j_g", "j_q", "j_w", "j_z", "j_t"}};
}

std::filesystem::path find_jets(const OpenOptions& options) {
  constexpr std::array names = {kFileName};
  constexpr std::array<std::string_view, 1> subfolders = {"jsc"};
  if (auto path = find_data_file(options, names, subfolders); !path.empty()) return path;
  auto sample = find_carried_file(options, "jsc/jsc_generated.h5");
  if (sample.empty()) {
    throw Error(ErrorKind::Unreadable, "the jet data is nowhere to be found", {},
                fmt::format("put {} into --data-dir or MASE_DATA_DIR, or name a file", kFileName));
  }
  // Who named a folder meant other data.
  options.tell(
      names_folder(options) ? LogLevel::Warning : LogLevel::Info,
      fmt::format(
          "jsc: using the simulated sample that comes with this program ({}); for the published "
          "data put {} into --data-dir or MASE_DATA_DIR, or fetch it with `ch data jsc --download`",
          sample.string(), kFileName));
  return sample;
}

// The prepared rows of a file, from the cache where they are there.
Prepared prepared_rows(const std::filesystem::path& path, const std::string& hash,
                       const PreparedCache& cache, const Info& info) {
  if (auto rows = cache.load(info.name, hash)) return *std::move(rows);
  const auto table = io::open_table(path, kTableName).or_throw();
  Prepared rows = prepare_table(*table, info.feature_names, info.class_names);
  cache.store(info.name, hash, rows);
  return rows;
}

DataSet open_jsc(const OpenOptions& options, const std::filesystem::path& source) {
  const Info info = jsc_info();
  const std::filesystem::path path = source.empty() ? find_jets(options) : source;
  const PreparedCache cache(options.use_cache ? cache_folder() : "", options.log);
  const std::string hash = cache.hash_of(path);
  const Prepared rows = prepared_rows(path, hash, cache, info);
  if (rows.duplicates > 0) {
    options.tell(LogLevel::Info, fmt::format("jsc: {} of {} rows were repetitions and are left out",
                                             rows.duplicates, rows.rows_read));
  }
  if (const auto only = only_class(rows)) {
    options.tell(LogLevel::Warning,
                 fmt::format("jsc: all rows are of the one class {}: there is nothing to learn",
                             info.class_names.at(static_cast<std::size_t>(*only))));
  }
  return {.info = info,
          .train = rows.train,
          .validation = rows.train,
          .test = rows.test,
          .predict = rows.test,
          .source = path.string(),
          .hash = hash};
}

}  // namespace

extern const DataSetRow kJsc;
const DataSetRow kJsc{
    .name = "jsc",
    .summary = "jets of the LHC by the particle they began with: g, q, W, Z or t",
    .info = jsc_info,
    .open = open_jsc,
    .download_url = "https://cernbox.cern.ch/s/jvFd5MoWhGs1l5v/download",
    .files = kFiles,
};

}  // namespace mase::data
