#include "mase/io/tables/hdf5_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "mase/io/tables/hdf5_lzf.h"
#include "mase/io/tables/open_table.h"
#include "mase/support/files.h"
#include "tests/io/hdf5_writer.h"

namespace mase::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Hdf5TableTest : public testing::Test {
 protected:
  Hdf5TableTest() {
    register_lzf_filter();
    path_ = testing::TempDir() + "hdf5_table_test_" +
            testing::UnitTest::GetInstance()->current_test_info()->name() + ".h5";
  }
  ~Hdf5TableTest() override { std::filesystem::remove(path_); }

  std::string path_;
};

std::vector<double> read_columns(Table& table, const std::vector<std::string>& names) {
  std::vector<std::size_t> wanted;
  for (const auto& name : names) {
    const auto at = std::find(table.columns().begin(), table.columns().end(), name);
    wanted.push_back(static_cast<std::size_t>(at - table.columns().begin()));
  }
  std::vector<double> out;
  const auto status = table.read(wanted, [&](std::int64_t first, std::span<const double> values) {
    EXPECT_EQ(first, static_cast<std::int64_t>(out.size() / names.size()));
    out.insert(out.end(), values.begin(), values.end());
    return Status(std::monostate{});
  });
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
  return out;
}

std::string error_of(const std::string& path, std::string_view preferred = "") {
  const auto table = open_hdf5_table(path, preferred);
  return table.ok() ? "no error" : table.error().message;
}

TEST_F(Hdf5TableTest, FindsMembersByNameAmongManyInAnyOrder) {
  WrittenTable table{.name = "t", .rows = 10};
  for (int i = 69; i >= 0; --i) {
    table.columns.push_back({"c" + std::to_string(i), H5T_IEEE_F32LE,
                             [i](std::size_t row) { return 100.0 * i + double(row); }});
  }
  write_hdf5_file(path_, {table});
  auto opened = open_hdf5_table(path_).or_throw();
  EXPECT_EQ(opened->rows(), 10);
  EXPECT_EQ(opened->columns().size(), 70u);
  const auto values = read_columns(*opened, {"c3", "c60"});
  ASSERT_EQ(values.size(), 20u);
  for (std::size_t row = 0; row < 10; ++row) {
    EXPECT_EQ(values[2 * row], 300.0 + double(row));
    EXPECT_EQ(values[2 * row + 1], 6000.0 + double(row));
  }
}

TEST_F(Hdf5TableTest, ConvertsEveryNumericType) {
  const std::vector<hid_t> types = {H5T_STD_I8LE,   H5T_STD_U8BE,   H5T_STD_I16BE,
                                    H5T_STD_U16LE,  H5T_STD_I32BE,  H5T_STD_U32LE,
                                    H5T_STD_I64LE,  H5T_STD_U64BE,  H5T_IEEE_F32BE,
                                    H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_NATIVE_LDOUBLE};
  WrittenTable table{.rows = 3};
  std::vector<std::string> names;
  for (const hid_t type : types) {
    names.push_back("c" + std::to_string(names.size()));
    const bool is_signed = H5Tget_class(type) == H5T_FLOAT || H5Tget_sign(type) == H5T_SGN_2;
    table.columns.push_back({names.back(), type, [is_signed](std::size_t row) {
                               return row == 0 && is_signed ? -7.0 : 100.0 + double(row);
                             }});
  }
  write_hdf5_file(path_, {table});
  const auto values = read_columns(*open_hdf5_table(path_).or_throw(), names);
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t c = 0; c < names.size(); ++c) {
      EXPECT_EQ(values[row * names.size() + c], table.columns[c].value(row))
          << names[c] << " " << row;
    }
  }
}

TEST_F(Hdf5TableTest, ReadsHalfPrecision) {
  const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  write_hdf5_file(path_,
                  {{.columns = {{"x", half, [](std::size_t row) { return 0.5 * double(row) - 1; }}},
                    .rows = 4}});
  H5Tclose(half);
  EXPECT_THAT(read_columns(*open_hdf5_table(path_).or_throw(), {"x"}),
              ElementsAre(-1, -0.5, 0, 0.5));
}

TEST_F(Hdf5TableTest, ReadsEveryStorage) {
  struct Storage {
    std::size_t chunk;
    std::vector<H5Z_filter_t> filters;
  };
  const std::vector<Storage> storages = {
      {0, {}},
      {1000, {}},
      {1000, {H5Z_FILTER_DEFLATE}},
      {1000, {H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE}},
      {1000, {kLzfFilter}},
      {1000, {H5Z_FILTER_SHUFFLE, kLzfFilter, H5Z_FILTER_FLETCHER32}},
      {7, {kLzfFilter}},               // pieces of many chunks, the last one short
      {200000, {H5Z_FILTER_DEFLATE}},  // one chunk larger than a piece
  };
  for (const auto& storage : storages) {
    WrittenTable table{.rows = storage.chunk == 7 ? 5000u : 250000u,
                       .chunk = storage.chunk,
                       .filters = storage.filters};
    table.columns = {{"a", H5T_IEEE_F32LE, [](std::size_t row) { return double(row % 1000); }},
                     {"b", H5T_STD_I32LE, [](std::size_t row) { return double(row); }}};
    write_hdf5_file(path_, {table});
    auto opened = open_hdf5_table(path_).or_throw();
    const auto values = read_columns(*opened, {"b", "a"});
    ASSERT_EQ(values.size(), 2 * table.rows);
    for (std::size_t row = 0; row < table.rows; ++row) {
      ASSERT_EQ(values[2 * row], double(row)) << storage.chunk;
      ASSERT_EQ(values[2 * row + 1], double(row % 1000)) << storage.chunk;
    }
  }
}

TEST_F(Hdf5TableTest, LzfShrinksWhatRepeats) {
  const auto size_with = [&](const std::vector<H5Z_filter_t>& filters) {
    write_hdf5_file(path_,
                    {{.columns = {{"a"}}, .rows = 100000, .chunk = 10000, .filters = filters}});
    return std::filesystem::file_size(path_);
  };
  EXPECT_LT(10 * size_with({kLzfFilter}), size_with({}));
}

TEST_F(Hdf5TableTest, TakesThePreferredTableOrTheOnlyOne) {
  const WrittenTable a{.name = "a", .columns = {{"x"}}, .rows = 1};
  const WrittenTable b{.name = "b", .columns = {{"y"}}, .rows = 2};
  write_hdf5_file(path_, {a, b});
  EXPECT_EQ(open_hdf5_table(path_, "b").or_throw()->rows(), 2);
  EXPECT_EQ(error_of(path_),
            "holds several tables: /a (1 rows, 1 columns); /b (2 rows, 1 columns); name one, as "
            "FILE:/a");
  EXPECT_THAT(error_of(path_, "c"),
              HasSubstr("holds several tables, none of them called c: /a (1 rows"));
  write_hdf5_file(path_, {a});
  EXPECT_THAT(open_hdf5_table(path_, "c").or_throw()->columns(), ElementsAre("x"));
  write_hdf5_file(path_, {});
  EXPECT_THAT(error_of(path_), HasSubstr("holds no table"));
}

TEST_F(Hdf5TableTest, KeepsTextColumnsAndRefusesToReadThem) {
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, 10);
  write_hdf5_file(path_, {{.columns = {{"name", text}, {"x"}}, .rows = 2}});
  H5Tclose(text);
  auto table = open_hdf5_table(path_).or_throw();
  EXPECT_THAT(table->columns(), ElementsAre("name", "x"));
  EXPECT_THAT(read_columns(*table, {"x"}), ElementsAre(0, 0));
  const auto status =
      table->read(std::vector<std::size_t>{0}, [](auto, auto) { return Status(std::monostate{}); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "column name does not hold plain numbers");
  EXPECT_EQ(status.error().where.file, path_);
}

TEST_F(Hdf5TableTest, AnEmptyTableHasNoRows) {
  write_hdf5_file(path_, {{.columns = {{"x"}}, .rows = 0}});
  auto table = open_hdf5_table(path_).or_throw();
  EXPECT_EQ(table->rows(), 0);
  EXPECT_TRUE(read_columns(*table, {"x"}).empty());
}

TEST_F(Hdf5TableTest, TheSinksErrorEndsTheReading) {
  write_hdf5_file(path_, {{.columns = {{"x"}}, .rows = 100}});
  auto table = open_hdf5_table(path_).or_throw();
  const auto status = table->read(std::vector<std::size_t>{0}, [](auto, auto) {
    return Status(ReadError{"enough", {}});
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "enough");
}

TEST_F(Hdf5TableTest, RefusesRowsThatTheFileCannotHold) {
  // A table whose chunks were never written claims a petabyte.
  const hid_t file = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcreate(H5T_COMPOUND, 4);
  H5Tinsert(type, "x", 0, H5T_NATIVE_FLOAT);
  const hsize_t rows = hsize_t{1} << 48;
  const hsize_t chunk = 1000;
  const hid_t space = H5Screate_simple(1, &rows, nullptr);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &chunk);
  H5Dclose(H5Dcreate2(file, "t", type, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  H5Pclose(creation);
  H5Sclose(space);
  H5Tclose(type);
  H5Fclose(file);
  EXPECT_THAT(error_of(path_), HasSubstr("claims 281474976710656 rows"));
}

TEST_F(Hdf5TableTest, NamesAFilterItDoesNotHave) {
  write_hdf5_file(
      path_, {{.columns = {{"x", H5T_STD_I32LE}}, .rows = 100, .chunk = 10, .filters = {32013}}});
  EXPECT_THAT(error_of(path_), HasSubstr("/table is compressed with zfp (HDF5 filter 32013), for "
                                         "which this system has no plug-in"));
  EXPECT_THAT(error_of(path_), HasSubstr("HDF5_PLUGIN_PATH"));
}

TEST_F(Hdf5TableTest, SaysWhatIsNoHdf5File) {
  EXPECT_THAT(error_of("/nowhere/jets.h5"), HasSubstr("cannot be read"));
  write_file(path_, "index,x\n1,2\n");
  EXPECT_EQ(error_of(path_), "not an HDF5 file");
  write_file(path_, "\x89HDF\r\n\x1a\n and then nothing of the kind");
  EXPECT_THAT(error_of(path_), HasSubstr("cannot open the HDF5 file"));
}

// Cut anywhere, a file gives an error or, where only unused space is missing, all its rows.
TEST_F(Hdf5TableTest, SurvivesBeingCutAnywhere) {
  write_hdf5_file(path_,
                  {{.columns = {{"x", H5T_IEEE_F32LE, [](std::size_t row) { return double(row); }}},
                    .rows = 2000,
                    .chunk = 100,
                    .filters = {H5Z_FILTER_SHUFFLE, kLzfFilter}}});
  const std::string whole = read_file(path_).or_throw();
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    std::ofstream(path_, std::ios::binary) << whole.substr(0, size);
    auto table = open_hdf5_table(path_);
    if (!table.ok()) continue;
    std::size_t rows = 0;
    const auto status = (*table)->read(std::vector<std::size_t>{0}, [&](auto, auto values) {
      rows += values.size();
      return Status(std::monostate{});
    });
    EXPECT_TRUE(!status.ok() || rows == 2000) << size;
  }
}

// Some of these changes crash the HDF5 library, which must not reach us.
TEST_F(Hdf5TableTest, SurvivesADamagedByteAnywhere) {
  write_hdf5_file(path_, {{.columns = {{"x"}, {"y", H5T_STD_I16BE}},
                           .rows = 20,
                           .chunk = 7,
                           .filters = {H5Z_FILTER_DEFLATE}}});
  const std::string whole = read_file(path_).or_throw();
  int damaged = 0;
  for (std::size_t at = 8; at < whole.size(); at += 13) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(at % 2 == 0 ? 0xff : bytes[at] ^ 1);
    std::ofstream(path_, std::ios::binary) << bytes;
    auto table = open_table(path_);
    std::size_t values = 0;
    const auto status = !table.ok()
                            ? Status(table.error())
                            : (*table)->read(std::vector<std::size_t>{0}, [&](auto, auto piece) {
                                values += piece.size();
                                return Status(std::monostate{});
                              });
    if (status.ok()) {
      EXPECT_EQ(static_cast<std::int64_t>(values), (*table)->rows()) << at;
    } else {
      ++damaged;
      EXPECT_EQ(status.error().where.file, path_) << at;
    }
  }
  EXPECT_GT(damaged, 10);
}

TEST_F(Hdf5TableTest, ADamagedLzfChunkIsAnError) {
  write_hdf5_file(path_,
                  {{.columns = {{"x"}}, .rows = 2000, .chunk = 2000, .filters = {kLzfFilter}}});
  std::string bytes = read_file(path_).or_throw();
  // The only chunk: a run of zeros as LZF writes it.
  const std::size_t at = bytes.rfind("\xe0\xff", bytes.size());
  ASSERT_NE(at, std::string::npos);
  for (std::size_t i = at; i < std::min(at + 40, bytes.size()); ++i) bytes[i] = '\xff';
  write_file(path_, bytes);
  auto table = open_hdf5_table(path_).or_throw();
  const auto status =
      table->read(std::vector<std::size_t>{0}, [](auto, auto) { return Status(std::monostate{}); });
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("cannot read rows 0 to 2000"));
}

}  // namespace
}  // namespace mase::io
