#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "mase/data/dataset.h"
#include "mase/io/arrays/npz.h"
#include "mase/support/files.h"
#include "tests/data/jets_file.h"
#include "tests/shared_data.h"

namespace mase::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Jsc : public testing::Test {
 protected:
  Jsc()
      : path_(testing::TempDir() + "jsc_test_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv") {}
  ~Jsc() override { std::filesystem::remove(path_); }

  DataSet open_text(std::string_view text) {
    write_file(path_, text);
    return open(path_, {.use_cache = false, .log = [this](LogLevel level, std::string_view line) {
                          log_.push_back(fmt::format("{}: {}", name(level), line));
                        }});
  }
  Error error_of(std::string_view text) {
    try {
      open_text(text);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return {ErrorKind::Internal, ""};
  }

  std::string path_;
  std::vector<std::string> log_;
};

TEST_F(Jsc, IsTheCarriedSampleWhenNothingElseIsThereAndSaysSo) {
  std::vector<std::string> log;
  const DataSet set = open("jsc", {.use_cache = false, .log = [&](LogLevel, std::string_view line) {
                                     log.emplace_back(line);
                                   }});
  EXPECT_THAT(log,
              ElementsAre(HasSubstr("sample"), HasSubstr("validation uses the training rows")));
  EXPECT_EQ(set.train.rows(), 120000);
  EXPECT_EQ(set.validation.rows(), 120000);
  EXPECT_EQ(set.test.rows(), 30000);
  EXPECT_EQ(set.predict.rows(), 30000);
  EXPECT_EQ(set.hash, "e26dbb9ce834f9135c9ca3e31bd32c095cce9b4cc7a83a797bf7b683efe73cb2");

  // Standardised by the training part.
  const auto values = set.train.features.values<float>();
  for (std::size_t f = 0; f < 16; ++f) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = f; i < values.size(); i += 16) {
      sum += values[i];
      squares += static_cast<double>(values[i]) * values[i];
    }
    EXPECT_NEAR(sum / 120000, 0, 1e-6) << f;
    EXPECT_NEAR(squares / 120000, 1, 1e-6) << f;
  }
}

// The original's own prepared data from the same file.
TEST_F(Jsc, IsPreparedAsTheOriginalDoes) {
  MASE_NEEDS_SHARED_DATA("mase_runs/jsc_split_by_mase.npz");
  const DataSet set =
      open((shared_data() / "jsc/jsc_from_images.h5").string(), {.use_cache = false});
  const auto expected = io::NpzReader::open(shared_data() / "mase_runs/jsc_split_by_mase.npz");
  const auto array = [&](std::string_view name) { return expected->read(name).or_throw(); };
  EXPECT_TRUE(set.train.labels == array("Y_train_val"));
  EXPECT_TRUE(set.test.labels == array("Y_test"));
  // Every bit, although 1e-6 would do.
  EXPECT_TRUE(set.train.features == array("X_train_val"));
  EXPECT_TRUE(set.test.features == array("X_test"));
}

TEST_F(Jsc, DropsRepetitionsAndSaysSo) {
  // Rows 3 and 7 are the same row, but for the index; 5 differs from 4 in the label only.
  const auto set =
      open_text(jets_csv(20, [](std::int64_t row, const std::string& name) -> std::string {
        if (row == 7) row = 3;
        if (name.size() == 3) {  // a label: each class in its turn
          constexpr std::array kLabels = {"j_g", "j_q", "j_w", "j_z", "j_t"};
          return name == kLabels[static_cast<std::size_t>(row % 5)] ? "1" : "0";
        }
        return fmt::format("{}", row == 5 ? 4 : row);
      }));
  EXPECT_EQ(set.train.rows() + set.test.rows(), 19);
  EXPECT_EQ(set.test.rows(), 4);
  EXPECT_THAT(log_, testing::Contains("info: jsc: 1 of 20 rows were repetitions and are left out"));
}

TEST_F(Jsc, ZeroAndMinusZeroAreTheSameValueButCloseDoublesAreNot) {
  const auto rows = [&](const char* odd, const char* even) {
    const auto set =
        open_text(jets_csv(30, [&](std::int64_t row, const std::string& name) -> std::string {
          if (row >= 20 || name.size() == 3)
            return name.size() == 3 ? (name == "j_g" ? "1" : "0") : "";
          return row % 2 == 0 ? even : odd;
        }));
    return set.train.rows() + set.test.rows();
  };
  EXPECT_EQ(rows("0", "-0"), 11);
  EXPECT_EQ(rows("0.1", "0.10000000000000002"), 12);  // equal as float32
  EXPECT_EQ(rows("0.1", "0.1"), 11);
}

TEST_F(Jsc, AConstantColumnBecomesZero) {
  const auto set = open_text(jets_csv(
      50, [](std::int64_t, const std::string& name) { return name == "j_zlogz" ? "0.1" : ""; }));
  for (std::int64_t row = 0; row < set.train.rows(); ++row) {
    EXPECT_NEAR(set.train.features.at(16 * row), 0, 1e-6);
  }
}

TEST_F(Jsc, NamesMissingColumnsAndWhatIsNearThem) {
  std::string text = jets_csv(20);
  text.replace(text.find("j_zlogz"), 7, "J-zlogz");
  text.replace(text.find("j_t\n"), 4, "jjtt\n");
  const Error error = error_of(text);
  EXPECT_EQ(error.kind(), ErrorKind::Unreadable);
  EXPECT_THAT(error.what(), HasSubstr("column j_zlogz is missing; did you mean 'J-zlogz'?"));
  EXPECT_THAT(error.what(), HasSubstr("column j_t is missing"));
  EXPECT_THAT(error.what(), HasSubstr(path_));
}

TEST_F(Jsc, RefusesWhatIsNoFiniteNumber) {
  for (const std::string bad : {"nan", "inf", "1e39"}) {
    const Error error = error_of(jets_csv(20, [&](std::int64_t row, const std::string& name) {
      return row == 7 && name == "j_mass_mmdt" ? bad : "";
    }));
    EXPECT_EQ(error.kind(), ErrorKind::Unreadable);
    EXPECT_THAT(error.message(), HasSubstr("row 7 (counted from 0), column j_mass_mmdt: "));
    EXPECT_EQ(error.where().line, 9);
  }
}

TEST_F(Jsc, RefusesLabelsThatAreNotOneHot) {
  for (const std::string bad : {"1", "0.5", "-1", "nan"}) {
    const Error error = error_of(jets_csv(20, [&](std::int64_t row, const std::string& name) {
      return row == 10 && name == "j_w" ? bad : "";
    }));
    EXPECT_THAT(error.message(), HasSubstr("row 10 (counted from 0): the label columns"));
    EXPECT_THAT(error.message(), HasSubstr("not a single 1"));
  }
  EXPECT_THAT(error_of(jets_csv(20,
                                [&](std::int64_t row, const std::string& name) {
                                  return row == 10 && name == "j_g" ? "0" : "";
                                }))
                  .message(),
              HasSubstr("hold 0, 0, 0, 0, 0"));
}

TEST_F(Jsc, RefusesTooFewRows) {
  EXPECT_THAT(error_of(jets_csv(9)).message(), HasSubstr("holds 9 distinct rows, too few"));
  EXPECT_THAT(error_of(jets_csv(0)).message(), HasSubstr("holds 0 distinct rows"));
  EXPECT_EQ(open_text(jets_csv(10)).train.rows(), 8);
}

TEST_F(Jsc, WarnsOfASingleClass) {
  open_text(jets_csv(20, [](std::int64_t, const std::string& name) {
    return name == "j_q" ? "1" : name.size() == 3 ? "0" : "";
  }));
  EXPECT_THAT(log_,
              testing::Contains(HasSubstr("warning: jsc: all rows are of the one class j_q")));
}

TEST_F(Jsc, ReadsTheSameTableFromEveryFormat) {
  const DataSet csv = open_text(jets_csv(100));
  const Info jets = info("jsc");
  ir::State columns;
  for (const auto& names : {jets.class_names, jets.feature_names}) {  // in another order
    for (std::size_t c = 0; c < names.size(); ++c) {
      std::vector<double> values;
      for (std::int64_t row = 0; row < 100; ++row) {
        values.push_back(names.size() == 5 ? double(row % 5 == static_cast<std::int64_t>(c))
                                           : 0.5 * double(row) + double(c));
      }
      columns.emplace_back(names[c], ir::Tensor::from<double>({100}, values));
    }
  }
  const std::string npz = path_ + ".npz";
  io::write_npz(npz, columns);
  const DataSet other = open(npz, {.use_cache = false});
  std::filesystem::remove(npz);
  EXPECT_TRUE(other.train.features == csv.train.features);
  EXPECT_TRUE(other.test.features == csv.test.features);
  EXPECT_TRUE(other.test.labels == csv.test.labels);
}

}  // namespace
}  // namespace mase::data
