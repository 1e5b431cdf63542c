// Where tables lie in HDF5 files that other programs write; the files are written here with the
// library's own functions. Files by h5py, pandas and PyTables: tests/interop/test_hdf5.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "mase/io/tables/hdf5_pandas.h"
#include "mase/io/tables/hdf5_table.h"
#include "mase/io/tables/open_table.h"
#include "mase/support/files.h"
#include "tests/io/hdf5_writer.h"

namespace mase::io {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Hdf5LayoutTest : public testing::Test {
 protected:
  Hdf5LayoutTest() {
    path_ = testing::TempDir() + "hdf5_layout_test_" +
            testing::UnitTest::GetInstance()->current_test_info()->name() + ".h5";
    file_ = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  }
  ~Hdf5LayoutTest() override { std::filesystem::remove(path_); }

  void written() { H5Fclose(file_); }
  std::unique_ptr<Table> open(std::string_view preferred = "") {
    return open_hdf5_table(path_, preferred).or_throw();
  }
  std::string error(std::string_view preferred = "") {
    const auto table = open_hdf5_table(path_, preferred);
    return table.ok() ? "no error" : table.error().message;
  }
  // A table of two rows, x = first, first + 1.
  void write_table(const std::string& path, double first = 0) {
    const std::string group = path.substr(0, path.rfind('/'));
    if (!group.empty()) {
      H5Gclose(H5Gcreate2(file_, group.c_str(), making_groups(), H5P_DEFAULT, H5P_DEFAULT));
    }
    write_hdf5_table(
        file_,
        {.name = path,
         .columns = {{"x", H5T_IEEE_F64LE, [=](std::size_t row) { return first + double(row); }}},
         .rows = 2});
  }

  std::string path_;
  hid_t file_;
};

// All columns, row by row.
std::vector<double> values(Table& table) {
  std::vector<std::size_t> wanted(table.columns().size());
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
  std::vector<double> out;
  const auto status = table.read(wanted, [&](std::int64_t, std::span<const double> piece) {
    out.insert(out.end(), piece.begin(), piece.end());
    return Status(std::monostate{});
  });
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
  return out;
}

TEST_F(Hdf5LayoutTest, FindsTheOnlyTableInAnyGroup) {
  write_table("/events/run2/jets", 5);
  written();
  EXPECT_THAT(values(*open()), ElementsAre(5, 6));
  EXPECT_THAT(values(*open("t_allpar_new")), ElementsAre(5, 6));
  EXPECT_THAT(values(*open("/events/run2/jets")), ElementsAre(5, 6));
  EXPECT_THAT(values(*open("/events")), ElementsAre(5, 6));
  EXPECT_EQ(error("/events/jets"),
            "holds no /events/jets; its tables are /events/run2/jets (2 rows, 1 columns)");
}

TEST_F(Hdf5LayoutTest, OneOfSeveralIsNamedByItsPath) {
  write_table("/a/jets", 1);
  write_table("/b/jets", 3);
  written();
  EXPECT_EQ(error(),
            "holds several tables: /a/jets (2 rows, 1 columns); /b/jets (2 rows, 1 columns); name "
            "one, as FILE:/a/jets");
  EXPECT_THAT(values(*open("/b/jets")), ElementsAre(3, 4));
  EXPECT_THAT(values(*open("/b")), ElementsAre(3, 4));
  const TablePath path = split_table_path(path_ + ":/b/jets");
  EXPECT_EQ(path.file, path_);
  EXPECT_THAT(values(*open_table(path.file, path.inside).or_throw()), ElementsAre(3, 4));
  EXPECT_EQ(split_table_path(path_).inside, "");
  EXPECT_EQ(split_table_path("/nowhere.h5:/a").file, "/nowhere.h5:/a");
}

TEST_F(Hdf5LayoutTest, OnlyHdf5FilesHaveTablesWithin) {
  written();
  write_file(path_, "x\n1\n");
  EXPECT_EQ(open_table(path_, "/x").error().message, "is no HDF5 file, so there is no /x in it");
}

TEST_F(Hdf5LayoutTest, FollowsLinksWithinTheFile) {
  write_table("/real/jets", 7);
  H5Lcreate_soft("/real/jets", file_, "jets", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_hard(file_, "/real", file_, "same", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/", file_, "/real/round", H5P_DEFAULT, H5P_DEFAULT);
  written();
  EXPECT_THAT(values(*open()), ElementsAre(7, 8));  // one table, however many ways lead there
  EXPECT_THAT(values(*open("jets")), ElementsAre(7, 8));
  EXPECT_THAT(values(*open("/same/round/real/jets")), ElementsAre(7, 8));
}

TEST_F(Hdf5LayoutTest, SaysWhereALinkLeadsThatIsNotFollowed) {
  const std::string other = path_ + ".other";
  write_hdf5_file(other, {{.name = "t", .columns = {{"x"}}, .rows = 1}});
  H5Lcreate_external(other.c_str(), "/t", file_, "t", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external(other.c_str(), "/", file_, "out", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/out/t", file_, "detour", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/nothing", file_, "dangling", H5P_DEFAULT, H5P_DEFAULT);
  written();
  const std::string told =
      "/t is a link to /t in the file " + other + "; links to other files are not followed";
  EXPECT_THAT(error(), AllOf(HasSubstr("holds no table"), HasSubstr(told),
                             HasSubstr("/dangling is a link that leads nowhere in this file")));
  EXPECT_THAT(error("t"), HasSubstr(told));
  EXPECT_EQ(error("/t"), told);
  EXPECT_THAT(error("/out/t"), HasSubstr("links to other files are not followed"));
  EXPECT_THAT(error("/detour"), HasSubstr("/detour is a link that leads nowhere in this file"));
  std::filesystem::remove(other);
}

TEST_F(Hdf5LayoutTest, ADatasetForEachColumn) {
  write_hdf5_array(file_, "/jets/mass", {3}, {1, 2, 3}, H5T_IEEE_F32LE);
  write_hdf5_array(file_, "/jets/n", {3}, {4, 5, 6}, H5T_STD_I16BE);
  write_hdf5_array(file_, "/version", {1}, {2});
  written();
  const auto table = open();
  EXPECT_THAT(table->columns(), ElementsAre("mass", "n"));
  EXPECT_THAT(values(*table), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST_F(Hdf5LayoutTest, MatricesSideBySide) {
  write_hdf5_array(file_, "X", {2, 3}, {1, 2, 3, 4, 5, 6}, H5T_IEEE_F32LE);
  write_hdf5_array(file_, "y", {2}, {0, 1}, H5T_STD_U8LE);
  write_hdf5_array(file_, "image", {2, 2, 2}, std::vector<double>(8));
  written();
  const auto table = open();
  EXPECT_THAT(table->columns(), ElementsAre("X[0]", "X[1]", "X[2]", "y"));
  EXPECT_THAT(values(*table), ElementsAre(1, 2, 3, 0, 4, 5, 6, 1));
}

// As the published jets with their constituents: jets [N, 59] beside jetFeatureNames [59].
TEST_F(Hdf5LayoutTest, AListOfNamesNamesTheColumnsOfAMatrix) {
  write_hdf5_array(file_, "jets", {3, 2}, {1, 2, 3, 4, 5, 6});
  write_hdf5_texts(file_, "jetFeatureNames", {"j_pt", "j_g"});
  write_hdf5_texts(file_, "particleFeatureNames", {"px", "py"});
  written();
  EXPECT_THAT(open()->columns(), ElementsAre("j_pt", "j_g"));
  EXPECT_THAT(open("/jets")->columns(), ElementsAre("j_pt", "j_g"));
}

TEST_F(Hdf5LayoutTest, ArraysOfSeveralLengthsAreSeveralTables) {
  for (const char* part : {"train", "test"}) {
    const hsize_t rows = std::string_view(part) == "train" ? 2 : 1;
    write_hdf5_array(file_, std::string("X_") + part, {rows, 2}, {1, 2, 3, 4});
    write_hdf5_array(file_, std::string("y_") + part, {rows}, {8, 9});
  }
  written();
  EXPECT_EQ(error(),
            "holds several tables: / (1 rows of X_test, y_test); / (2 rows of X_train, y_train); "
            "name one, as FILE:/X_test,/y_test");
  EXPECT_THAT(values(*open("/X_train,/y_train")), ElementsAre(1, 2, 8, 3, 4, 9));
  EXPECT_EQ(error("/X_train,/y_test"), "/y_test has 1 rows, but /X_train has 2");
  EXPECT_THAT(error("/X_train,/y"), HasSubstr("holds no /y"));
}

TEST_F(Hdf5LayoutTest, ArraysBesideATableAreNotTheTable) {
  write_table("/t", 1);
  write_hdf5_array(file_, "/other/a", {3}, {1, 2, 3});
  write_hdf5_array(file_, "/other/b", {3}, {1, 2, 3});
  written();
  EXPECT_THAT(values(*open()), ElementsAre(1, 2));
  EXPECT_THAT(open("/other")->columns(), ElementsAre("a", "b"));
}

TEST_F(Hdf5LayoutTest, NumbersWithinMembers) {
  struct Row {
    std::uint8_t flag;
    float xy[2];
    struct {
      double energy;
    } beam;
  };
  const hsize_t two = 2;
  const hid_t pair = H5Tarray_create2(H5T_NATIVE_FLOAT, 1, &two);
  const hid_t beam = H5Tcreate(H5T_COMPOUND, sizeof(double));
  H5Tinsert(beam, "energy", 0, H5T_NATIVE_DOUBLE);
  const hid_t row = H5Tcreate(H5T_COMPOUND, sizeof(Row));
  H5Tinsert(row, "flag", HOFFSET(Row, flag), H5T_NATIVE_B8);  // a boolean of PyTables
  H5Tinsert(row, "xy", HOFFSET(Row, xy), pair);
  H5Tinsert(row, "beam", HOFFSET(Row, beam), beam);
  const hid_t space = H5Screate_simple(1, &two, nullptr);
  const hid_t dataset = H5Dcreate2(file_, "t", row, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const std::array<Row, 2> rows = {Row{1, {2, 3}, {4}}, Row{0, {5, 6}, {7}}};
  H5Dwrite(dataset, row, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data());
  H5Dclose(dataset);
  for (const hid_t type : {pair, beam, row}) H5Tclose(type);
  H5Sclose(space);
  written();
  const auto table = open();
  EXPECT_THAT(table->columns(), ElementsAre("flag", "xy[0]", "xy[1]", "beam/energy"));
  EXPECT_THAT(values(*table), ElementsAre(1, 2, 3, 4, 0, 5, 6, 7));
}

TEST_F(Hdf5LayoutTest, TextsAreReadAsClasses) {
  write_hdf5_array(file_, "x", {3}, {1, 2, 3});
  write_hdf5_texts(file_, "class", {"q", "g", "q"});
  const hsize_t three = 3;
  const hid_t space = H5Screate_simple(1, &three, nullptr);
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, 4);
  const hid_t dataset =
      H5Dcreate2(file_, "fixed", text, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(dataset, text, H5S_ALL, H5S_ALL, H5P_DEFAULT, "g\0\0\0q   top\0");
  H5Dclose(dataset);
  H5Tclose(text);
  H5Sclose(space);
  written();
  Categories classes;
  for (const char* name : {"g", "q", "top"}) classes.add(name, name[0] == 'g' ? 0 : 1);
  for (const bool apart : {false, true}) {
    const auto table = apart ? open_table(path_).or_throw() : open();
    EXPECT_THAT(table->columns(), ElementsAre("class", "fixed", "x"));
    table->categorise(0, classes);
    table->categorise(1, classes);
    EXPECT_THAT(values(*table), ElementsAre(1, 0, 1, 0, 1, 2, 1, 1, 3));
  }
  const auto table = open();
  Categories others;
  others.add("q", 0);
  table->categorise(0, others);
  const auto status =
      table->read(std::vector<std::size_t>{0}, [](auto, auto) { return Status(std::monostate{}); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "row 1 (counted from 0), column class: 'g' is none of q");
}

// Creates dataset `path` without writing it.
void claim(hid_t file, const char* path, hsize_t rows, hsize_t chunk, double fill) {
  const hid_t space = H5Screate_simple(1, &rows, nullptr);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  if (chunk > 0) H5Pset_chunk(creation, 1, &chunk);
  H5Pset_fill_value(creation, H5T_NATIVE_DOUBLE, &fill);
  H5Dclose(H5Dcreate2(file, path, H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  H5Pclose(creation);
  H5Sclose(space);
}

TEST_F(Hdf5LayoutTest, WhatWasNeverWrittenIsItsFillValue) {
  claim(file_, "chunks", 1'000'000, 1000, -2);
  claim(file_, "whole", 1'000'000, 0, 3);
  written();
  const auto table = open();
  EXPECT_EQ(table->rows(), 1'000'000);
  const auto all = values(*table);
  ASSERT_EQ(all.size(), 2'000'000u);
  EXPECT_EQ(all.front(), -2);
  EXPECT_EQ(all.back(), 3);
}

TEST_F(Hdf5LayoutTest, ReadsPiecesOfChunksThatDoNotFitThem) {
  constexpr hsize_t kRows = 300'000;
  const std::array<hsize_t, 2> shape = {kRows, 3};
  const std::array<hsize_t, 2> chunk = {70'000, 2};
  const hid_t space = H5Screate_simple(2, shape.data(), nullptr);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 2, chunk.data());
  H5Pset_deflate(creation, 1);
  const hid_t dataset =
      H5Dcreate2(file_, "X", H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  std::vector<double> content(kRows * 3);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = double(i);
  H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, content.data());
  H5Dclose(dataset);
  H5Pclose(creation);
  H5Sclose(space);
  written();
  EXPECT_EQ(values(*open()), content);
}

// pandas keeps a categorical column as codes; what they stand for is a series of its own.
TEST_F(Hdf5LayoutTest, CategoriesOfPandasAreReadAsWhatTheyStandFor) {
  const auto attribute = [](hid_t object, const char* name, const std::string& text) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, text.size());
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t made = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(made, type, text.data());
    H5Aclose(made);
    H5Sclose(space);
    H5Tclose(type);
  };
  const auto row_number = [](std::size_t row) { return double(row); };
  H5Gclose(H5Gcreate2(file_, "/df/meta/n/meta", making_groups(), H5P_DEFAULT, H5P_DEFAULT));
  H5Gclose(H5Gcreate2(file_, "/df/meta/kind/meta", making_groups(), H5P_DEFAULT, H5P_DEFAULT));
  const hid_t group = H5Gopen2(file_, "/df", H5P_DEFAULT);
  attribute(group, "pandas_type", "frame_table");
  H5Gclose(group);
  write_hdf5_table(file_, {.name = "/df/table",
                           .columns = {{"n", H5T_STD_I8LE, row_number},
                                       {"kind", H5T_STD_I8LE, row_number},
                                       {"lost", H5T_STD_I8LE, row_number},
                                       {"gap", H5T_STD_I8LE, [](std::size_t) { return -1.0; }}},
                           .rows = 2});
  const hid_t table_id = H5Dopen2(file_, "/df/table", H5P_DEFAULT);
  for (const char* name : {"n_meta", "kind_meta", "lost_meta", "gap_meta"}) {
    attribute(table_id, name, "category");
  }
  H5Dclose(table_id);
  write_hdf5_table(
      file_,
      {.name = "/df/meta/n/meta/table",
       .columns = {{"index", H5T_STD_I64LE, row_number},
                   {"values", H5T_STD_I64LE, [](std::size_t row) { return row == 0 ? 5.0 : 3.0; }}},
       .rows = 2});
  H5Lcreate_hard(file_, "/df/meta/n", file_, "/df/meta/gap", H5P_DEFAULT, H5P_DEFAULT);
  struct Row {
    char text[6];
  };
  const Row rows[] = {{"quark"}, {"g"}};
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, sizeof(Row));
  const hid_t record = H5Tcreate(H5T_COMPOUND, sizeof(Row));
  H5Tinsert(record, "values", 0, text);
  const hsize_t count = 2;
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t texts = H5Dcreate2(file_, "/df/meta/kind/meta/table", record, space, H5P_DEFAULT,
                                 H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(texts, record, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows);
  H5Dclose(texts);
  H5Sclose(space);
  H5Tclose(record);
  H5Tclose(text);
  written();

  const auto table = open();
  const auto read = [&](std::size_t column) {
    std::vector<double> out;
    const Status status =
        table->read(std::vector{column}, [&](std::int64_t, std::span<const double> piece) {
          out.assign(piece.begin(), piece.end());
          return Status(std::monostate{});
        });
    return std::pair(out, status ? "" : status.error().message);
  };
  ASSERT_THAT(table->columns(), ElementsAre("n", "kind", "lost", "gap"));
  EXPECT_THAT(read(0).first, ElementsAre(5, 3));
  EXPECT_EQ(read(1).second, "column kind does not hold plain numbers");
  EXPECT_THAT(read(2).second, HasSubstr("holds categories of pandas: "));
  EXPECT_EQ(read(3).second, "row 0 (counted from 0), column gap holds no category");
  Categories classes;
  classes.add("g", 0);
  classes.add("quark", 1);
  table->categorise(1, classes);
  EXPECT_THAT(read(1).first, ElementsAre(1, 0));
  Categories others;
  others.add("g", 0);
  table->categorise(1, others);
  EXPECT_THAT(read(1).second, HasSubstr("'quark' is none of g"));
}

TEST_F(Hdf5LayoutTest, LinksAreCountedBeforeTheyAreFollowed) {
  const hid_t group = H5Gcreate2(file_, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  for (int i = 0; i < 30'000; ++i) {
    H5Lcreate_soft("/x", group, std::to_string(i).c_str(), H5P_DEFAULT, H5P_DEFAULT);
  }
  H5Gclose(group);
  write_table("/x", 1);
  written();
  EXPECT_EQ(error(), "has more than 20000 links; name the table: FILE:/path/to/table");
  EXPECT_THAT(values(*open("/x")), ElementsAre(1, 2));
  EXPECT_THAT(values(*open("x")), ElementsAre(1, 2));
}

TEST_F(Hdf5LayoutTest, RefusesChunksThatOneRowCannotPayFor) {
  const std::array<hsize_t, 2> shape = {2, 4000};
  const std::array<hsize_t, 2> chunk = {1 << 20, 1};
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  const std::array<hsize_t, 2> unlimited = {H5S_UNLIMITED, 4000};
  const hid_t growing = H5Screate_simple(2, shape.data(), unlimited.data());
  H5Pset_chunk(creation, 2, chunk.data());
  H5Dclose(H5Dcreate2(file_, "X", H5T_IEEE_F64LE, growing, H5P_DEFAULT, creation, H5P_DEFAULT));
  H5Pclose(creation);
  H5Sclose(growing);
  written();
  EXPECT_THAT(error(), HasSubstr("/X is stored in chunks too large to read"));
}

TEST_F(Hdf5LayoutTest, AGroupThatHoldsNoTableSaysWhatItHolds) {
  write_hdf5_array(file_, "/image", {2, 2, 2}, std::vector<double>(8));
  written();
  EXPECT_THAT(error(), HasSubstr("holds no table (a dataset of records, or arrays of equal length "
                                 "in one group), only /image [2, 2, 2]"));
}

TEST_F(Hdf5LayoutTest, ReadsFilesInMemory) {
  write_table("/t", 4);
  written();
  const std::string bytes = read_file(path_).or_throw();
  const auto table = parse_hdf5_table(std::as_bytes(std::span(bytes)), "memory").or_throw();
  EXPECT_THAT(values(*table), ElementsAre(4, 5));
}

TEST(PickledNames, AreTextsAndWholeNumbers) {
  using hdf5::parse_pickled_names;
  EXPECT_THAT(*parse_pickled_names("(lp0\nVj_a\np1\naVj\\u00e9\\U0001f600\np2\na."),
              ElementsAre("j_a", "j\u00e9\U0001f600"));
  EXPECT_THAT(*parse_pickled_names("(lp0\nI0\naL12L\naS'x'\np1\na."), ElementsAre("0", "12", "x"));
  EXPECT_THAT(*parse_pickled_names("(lp0\n."), ElementsAre());
  for (const char* other : {"", "(", "(l", "(lp0\nVj_a", "(dp0\n.", "(lcos\nsystem\n.", "N."}) {
    EXPECT_FALSE(parse_pickled_names(other)) << other;
  }
}

}  // namespace
}  // namespace mase::io
