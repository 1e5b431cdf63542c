// jsc, jet substructure classification: which particle began a jet, from 16 high-level features.
// The published sample is the "hls4ml LHC jets" one (Pierini, Duarte, Tran, Freytsis; Zenodo
// 3602260); docs/data.md describes it and the simulated sample that the project carries.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "mase/data/cache.h"
#include "mase/data/columns.h"
#include "mase/data/dataset.h"
#include "mase/data/lookup.h"
#include "mase/data/prepare.h"
#include "mase/io/tables/hdf5_file.h"
#include "mase/io/tables/open_table.h"
#include "mase/support/sha256.h"

namespace mase::data {
namespace {

constexpr std::string_view kFileName =
    "processed-pythia82-lhc13-all-pt1-50k-r1_h022_e0175_t220_nonu_truth.z";
constexpr std::string_view kTableName = "t_allpar_new";
constexpr RemoteFile kFiles[] = {{.name = kFileName, .looks_right = io::is_whole_hdf5}};

constexpr std::string_view kJetPrefix =
    "j_";  // of all columns; some copies of the table leave it out
constexpr std::array kJetFeatures = {
    "j_zlogz",         "j_c1_b0_mmdt",    "j_c1_b1_mmdt", "j_c1_b2_mmdt",
    "j_c2_b1_mmdt",    "j_c2_b2_mmdt",    "j_d2_b1_mmdt", "j_d2_b2_mmdt",
    "j_d2_a1_b1_mmdt", "j_d2_a1_b2_mmdt", "j_m2_b1_mmdt", "j_m2_b2_mmdt",
    "j_n2_b1_mmdt",    "j_n2_b2_mmdt",    "j_mass_mmdt",  "j_multiplicity"};
constexpr std::array kJetClasses = {"j_g", "j_q", "j_w", "j_z", "j_t"};

// The class in one column, where it is not one-hot.
const Spellings kJetLabel = {"class", "label", "target", "y"};

// "j_g" or "g".
Spellings with_and_without_prefix(std::string_view name) {
  return {std::string(name), std::string(name.substr(kJetPrefix.size()))};
}

Wanted wanted_columns(const ColumnMap& map) {
  Wanted out{.by_position = map.empty()};
  const auto add = [](std::vector<Spellings>& to, const auto& names, auto spellings) {
    for (const auto& name : names) to.push_back(spellings(name));
  };
  const auto as_they_are = [](const std::string& name) { return Spellings{name}; };
  if (map.features.empty()) {
    add(out.features, kJetFeatures, with_and_without_prefix);
  } else {
    add(out.features, map.features, as_they_are);
  }
  const auto& classes = map.classes.empty() && map.target.size() > 1 ? map.target : map.classes;
  if (classes.empty()) {
    add(out.classes, kJetClasses, with_and_without_prefix);
  } else {
    add(out.classes, classes, as_they_are);
  }
  if (map.target.size() == 1) {
    out.label = {map.target.front()};
  } else if (map.target.size() > 1) {
    add(out.one_hot, map.target, as_they_are);
  } else {
    out.one_hot = out.classes;  // columns called like the classes
    out.label = kJetLabel;
  }
  return out;
}

std::vector<std::string> names_of(const std::vector<Spellings>& columns) {
  std::vector<std::string> names;
  for (const Spellings& column : columns) names.push_back(column.front());
  return names;
}

Info jsc_info(const ColumnMap& columns) {
  ColumnMap map = columns;
  expand(map);
  const Wanted wanted = wanted_columns(map);
  const auto features = static_cast<std::int64_t>(wanted.features.size());
  return {.name = map.empty() ? "jsc" : "table",
          .task = Task::PhysicalDataPointClassification,
          .num_classes = static_cast<std::int64_t>(wanted.classes.size()),
          .num_features = features,
          .sample_shape = {features},
          .feature_names = names_of(wanted.features),
          .class_names = names_of(wanted.classes)};
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
  // Who named a folder meant other data, and is told in full each time.
  const bool named = names_folder(options);
  if (!named && options.use_cache && told_before(cache_folder(), "jsc_simulated")) {
    options.tell(LogLevel::Info,
                 "jsc: the simulated sample; `ch data jsc --download` fetches the published data");
    return sample;
  }
  options.tell(
      named ? LogLevel::Warning : LogLevel::Info,
      fmt::format(
          "jsc: using the simulated sample that comes with this program ({}); for the published "
          "data put {} into --data-dir or MASE_DATA_DIR, or fetch it with `ch data jsc --download`",
          sample.string(), kFileName));
  return sample;
}

// Whether rows of the cache are of this network's kind, whoever wrote them there.
bool fit(const Prepared& rows, const Info& info) {
  const auto is_class = [&](std::int64_t label) { return label >= 0 && label < info.num_classes; };
  for (const Split* split : {&rows.train, &rows.test}) {
    const auto labels = split->labels.values<std::int64_t>();
    if (split->features.dim(1) != info.num_features) return false;
    if (!std::all_of(labels.begin(), labels.end(), is_class)) return false;
  }
  return true;
}

// The prepared rows of a table, from the cache where they are there.
Prepared prepared_rows(const io::TablePath& source, const std::string& hash,
                       const PreparedCache& cache, const Info& info, const ColumnMap& map) {
  if (auto rows = cache.load(info.name, hash); rows && fit(*rows, info)) return *std::move(rows);
  const auto table =
      io::open_table(source.file, source.inside.empty() ? kTableName : source.inside).or_throw();
  Prepared rows = prepare_table(*table, select(*table, wanted_columns(map)));
  cache.store(info.name, hash, rows);
  return rows;
}

// What a user should know of rows before anything is computed from them.
void tell_of_rows(const Prepared& rows, const Info& info, const OpenOptions& options) {
  if (rows.duplicates > 0) {
    options.tell(LogLevel::Info, fmt::format("{}: {} of {} rows were repetitions and are left out",
                                             info.name, rows.duplicates, rows.rows_read));
  }
  std::vector<std::string> present;
  std::vector<std::string> absent;
  const auto counts = rows_per_class(rows, info.num_classes);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    (counts[i] > 0 ? present : absent).push_back(io::brief(info.class_names[i]));
  }
  if (present.size() == 1) {
    options.tell(LogLevel::Warning,
                 fmt::format("{}: all rows are of the one class {}: there is nothing to learn",
                             info.name, present.front()));
  } else if (!absent.empty()) {
    options.tell(LogLevel::Warning,
                 fmt::format("{}: no row is of the class {}", info.name, fmt::join(absent, ", ")));
  }
}

DataSet open_jsc(const OpenOptions& options, const std::filesystem::path& source) {
  ColumnMap map = options.columns;
  expand(map);
  const Info info = jsc_info(map);
  const std::filesystem::path path = source.empty() ? find_jets(options) : source;
  const PreparedCache cache(options.use_cache ? cache_folder() : "", options.log);
  const io::TablePath table = io::split_table_path(path);
  std::string hash = cache.hash_of(table.file);
  if (!table.inside.empty() || !map.empty()) {
    const std::string chosen = hash + table.inside + "\n" + text(map);
    hash = sha256(std::as_bytes(std::span(chosen)));
  }
  const Prepared rows = prepared_rows(table, hash, cache, info, map);
  tell_of_rows(rows, info, options);
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
    .is_table = true,
    .open = open_jsc,
    .download_url = "https://cernbox.cern.ch/s/jvFd5MoWhGs1l5v/download",
    .files = kFiles,
};

}  // namespace mase::data
