#include "mase/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "mase/support/error.h"

namespace mase::data {
namespace {

using testing::HasSubstr;

template <typename Fn>
Error error_of(Fn&& fn) {
  try {
    fn();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {ErrorKind::Internal, ""};
}

TEST(DataSets, AreSortedByName) {
  const auto rows = data_sets();
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(),
                             [](const auto* a, const auto* b) { return a->name < b->name; }));
}

TEST(DataSets, InfoAgreesWithItself) {
  for (const DataSetRow* row : data_sets()) {
    const Info info = row->info({});
    EXPECT_EQ(info.name, row->name);
    EXPECT_EQ(info.num_features, ir::element_count(info.sample_shape)) << row->name;
    EXPECT_EQ(info.num_classes, static_cast<std::int64_t>(info.class_names.size())) << row->name;
  }
}

TEST(DataSets, NamesIgnoreCaseAndDashes) {
  EXPECT_EQ(open("TOY-TINY").info.name, "toy_tiny");
  EXPECT_EQ(info("JSC").num_features, 16);
}

TEST(DataSets, AMisspeltNameNamesTheNearest) {
  const Error error = error_of([] { open("toy_tinny"); });
  EXPECT_EQ(error.kind(), ErrorKind::Usage);
  EXPECT_EQ(error.message(), "Dataset toy_tinny is not supported");
  EXPECT_THAT(error.hint(), HasSubstr("toy_tiny"));
  EXPECT_THAT(error_of([] { open("zzzzzz"); }).hint(), HasSubstr("jsc, "));
}

TEST(DataSets, AMissingFileIsUnreadable) {
  const Error error = error_of([] { open("folder/jets.h5"); });
  EXPECT_EQ(error.kind(), ErrorKind::Unreadable);
  EXPECT_EQ(error.where().file, "folder/jets.h5");
}

TEST(DataSets, ValidationRowsAreTakenFromTheTrainingPart) {
  const DataSet whole = open("toy_tiny");
  const DataSet split = open("toy_tiny", {.val_fraction = 0.25, .seed = 5});
  EXPECT_EQ(split.validation.rows(), 2560);
  EXPECT_EQ(split.train.rows(), 7680);
  EXPECT_TRUE(split.test.features == whole.test.features);
  // Together they are the training rows, each once.
  const auto sorted = [](std::initializer_list<const Split*> splits) {
    std::vector<std::vector<float>> rows;
    for (const Split* s : splits) {
      const auto values = s->features.values<float>();
      for (std::size_t i = 0; i < values.size(); i += 4) {
        rows.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(i),
                          values.begin() + static_cast<std::ptrdiff_t>(i + 4));
      }
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  };
  EXPECT_EQ(sorted({&whole.train}), sorted({&split.train, &split.validation}));

  const DataSet again = open("toy_tiny", {.val_fraction = 0.25, .seed = 5});
  const DataSet other = open("toy_tiny", {.val_fraction = 0.25, .seed = 6});
  EXPECT_TRUE(again.train.features == split.train.features);
  EXPECT_FALSE(other.train.features == split.train.features);
}

TEST(DataSets, RefusesAValidationFractionThatLeavesNothing) {
  EXPECT_EQ(error_of([] { open("toy_tiny", {.val_fraction = 1.0}); }).kind(), ErrorKind::Usage);
  EXPECT_EQ(error_of([] { open("toy_tiny", {.val_fraction = -0.1}); }).kind(), ErrorKind::Usage);
  EXPECT_EQ(error_of([] { open("toy_tiny", {.val_fraction = 0.99999}); }).kind(), ErrorKind::Usage);
}

TEST(DataSets, TakeGathersRows) {
  const DataSet set = open("toy_tiny");
  const std::vector<std::uint32_t> rows = {7, 0, 7};
  const Split some = take(set.train, rows);
  EXPECT_EQ(some.features.shape(), (ir::Shape{3, 1, 2, 2}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_TRUE(some.features.rows(static_cast<std::int64_t>(i), 1) ==
                set.train.features.rows(rows[i], 1));
    EXPECT_EQ(some.labels.values<std::int64_t>()[i],
              set.train.labels.values<std::int64_t>()[rows[i]]);
  }
}

}  // namespace
}  // namespace mase::data
