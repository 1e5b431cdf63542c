// MNIST, handwritten digits (LeCun, Cortes, Burges): 28 x 28 pixels of 0 .. 255 as float32, from
// the four IDX files of the original distribution.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "mase/data/dataset.h"
#include "mase/data/lookup.h"
#include "mase/io/arrays/idx.h"
#include "mase/support/sha256.h"

namespace mase::data {
namespace {

constexpr std::int64_t kSide = 28;
constexpr std::int64_t kClasses = 10;

constexpr RemoteFile kIdxFiles[] = {
    {.name = "train-images-idx3-ubyte.gz",
     .sha256 = "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
    {.name = "train-labels-idx1-ubyte.gz",
     .sha256 = "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
    {.name = "t10k-images-idx3-ubyte.gz",
     .sha256 = "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
    {.name = "t10k-labels-idx1-ubyte.gz",
     .sha256 = "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
};

Info mnist_info(const ColumnMap&) {
  return {.name = "mnist",
          .task = Task::ImageClassification,
          .num_classes = kClasses,
          .num_features = kSide * kSide,
          .sample_shape = {1, kSide, kSide},
          .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
}

// "train-images-idx3" may also be written "train-images.idx3", gzipped or not.
std::filesystem::path find_part(const OpenOptions& options, std::string_view name) {
  const std::string plain = fmt::format("{}-ubyte", name);
  std::string dotted = plain;
  dotted[dotted.find("-idx")] = '.';
  const std::array<std::string, 4> spelt = {plain, plain + ".gz", dotted, dotted + ".gz"};
  const std::array<std::string_view, 4> names = {spelt[0], spelt[1], spelt[2], spelt[3]};
  constexpr std::array<std::string_view, 4> subfolders = {"mnist", "mnist/raw", "mnist/MNIST/raw",
                                                          "MNIST/raw"};
  if (auto path = find_data_file(options, names, subfolders); !path.empty()) return path;
  std::vector<std::string> folders;
  for (const auto& folder : data_folders(options)) folders.push_back(folder.string());
  throw Error(ErrorKind::Unreadable,
              fmt::format("mnist: {}.gz is not in {} (nor in their sub-folder mnist)", plain,
                          fmt::join(folders, ", ")),
              {},
              "fetch the data with `ch data mnist --download`, or name its folder by --data-dir");
}

struct Part {
  std::filesystem::path images;
  std::filesystem::path labels;
};

Split read_part(const Part& part) {
  const ir::Tensor images = io::read_idx(part.images).or_throw();
  const ir::Tensor labels = io::read_idx(part.labels).or_throw();
  if (images.dtype() != ir::DType::UInt8 || images.shape().size() != 3 || images.dim(0) == 0 ||
      images.dim(1) != kSide || images.dim(2) != kSide) {
    throw Error(ErrorKind::Unreadable,
                fmt::format("holds {} of {}, not images of 28 x 28 bytes", ir::text(images.shape()),
                            ir::name(images.dtype())),
                {.file = part.images.string()});
  }
  if (labels.dtype() != ir::DType::UInt8 || labels.shape() != ir::Shape{images.dim(0)}) {
    throw Error(ErrorKind::Unreadable,
                fmt::format("holds {} of {}, not one byte for each of {} images",
                            ir::text(labels.shape()), ir::name(labels.dtype()), images.dim(0)),
                {.file = part.labels.string()});
  }
  Split split{ir::Tensor({images.dim(0), 1, kSide, kSide}, ir::DType::Float32),
              ir::Tensor({images.dim(0)}, ir::DType::Int64)};
  const auto pixels = images.values<std::uint8_t>();
  std::copy(pixels.begin(), pixels.end(), split.features.values_mut<float>().begin());
  const auto classes = split.labels.values_mut<std::int64_t>();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    classes[i] = labels.values<std::uint8_t>()[i];
    if (classes[i] >= kClasses) {
      throw Error(ErrorKind::Unreadable,
                  fmt::format("image {} (counted from 0) has label {}, not 0 to 9", i, classes[i]),
                  {.file = part.labels.string()});
    }
  }
  return split;
}

DataSet open_mnist(const OpenOptions& options, const std::filesystem::path&) {
  const Part train{find_part(options, "train-images-idx3"),
                   find_part(options, "train-labels-idx1")};
  const Part test{find_part(options, "t10k-images-idx3"), find_part(options, "t10k-labels-idx1")};
  std::string hashes;
  for (const auto& path : {train.images, train.labels, test.images, test.labels}) {
    hashes += sha256_file(path).or_throw();
  }
  DataSet set{.info = mnist_info({}),
              .train = read_part(train),
              .test = read_part(test),
              .source = train.images.parent_path().string(),
              .hash = sha256(std::as_bytes(std::span(hashes)))};
  set.validation = set.test;
  set.predict = set.test;
  return set;
}

}  // namespace

extern const DataSetRow kMnist;
const DataSetRow kMnist{
    .name = "mnist",
    .summary = "handwritten digits, 28 x 28 pixels",
    .info = mnist_info,
    .open = open_mnist,
    .download_url = "https://ossci-datasets.s3.amazonaws.com/mnist/",
    .files = kIdxFiles,
};

}  // namespace mase::data
