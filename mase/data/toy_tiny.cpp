// toy_tiny: points of the unit square's fourth power, [-1, 1)^4 as 1 x 2 x 2 images; the class says
// whether their coordinates sum to more than zero. Drawn as numpy's legacy generator draws them, a
// seed per split.
#include <string>

#include "mase/data/dataset.h"
#include "mase/support/random.h"
#include "mase/support/sha256.h"

namespace mase::data {
namespace {

constexpr std::int64_t kRows = 10240;
constexpr std::int64_t kValues = 4;

Info toy_tiny_info(const ColumnMap&) {
  return {.name = "toy_tiny",
          .task = Task::ImageClassification,
          .num_classes = 2,
          .num_features = kValues,
          .sample_shape = {1, 2, 2},
          .class_names = {"0", "1"}};
}

Split generate(std::uint32_t seed) {
  Split split{ir::Tensor({kRows, 1, 2, 2}, ir::DType::Float32),
              ir::Tensor({kRows}, ir::DType::Int64)};
  const auto features = split.features.values_mut<float>();
  const auto labels = split.labels.values_mut<std::int64_t>();
  Random random(seed);
  for (std::size_t row = 0; row < kRows; ++row) {
    double sum = 0;
    for (std::size_t i = 0; i < kValues; ++i) {
      const double value = (random.unit() - 0.5) * 2;
      features[row * kValues + i] = static_cast<float>(value);
      sum += value;
    }
    labels[row] = sum > 0 ? 1 : 0;
  }
  return split;
}

DataSet open_toy_tiny(const OpenOptions&, const std::filesystem::path&) {
  DataSet set{.info = toy_tiny_info({}),
              .train = generate(0),
              .validation = generate(1),
              .test = generate(2),
              .predict = generate(3),
              .source = "generated"};
  std::string hashes;
  for (const Split* split : {&set.train, &set.validation, &set.test, &set.predict}) {
    hashes += sha256({split->features.data(), split->features.bytes()});
  }
  set.hash = sha256(std::as_bytes(std::span(hashes)));
  return set;
}

}  // namespace

extern const DataSetRow kToyTiny;
const DataSetRow kToyTiny{
    .name = "toy_tiny",
    .summary = "generated: is the sum of four random numbers positive?",
    .info = toy_tiny_info,
    .open = open_toy_tiny,
};

}  // namespace mase::data
