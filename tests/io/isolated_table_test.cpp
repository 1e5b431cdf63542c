#include "mase/io/tables/isolated_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <numeric>
#include <utility>

namespace mase::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Two columns, a thousand rows in pieces of a hundred; `at_piece` is called before each.
class Counting : public Table {
 public:
  explicit Counting(std::function<void(int)> at_piece)
      : Table("counting"), at_piece_(std::move(at_piece)) {
    columns_ = {"a", "b, \"quoted\""};
    rows_ = 1000;
  }
  Status read(std::span<const std::size_t> wanted, const RowSink& sink) override {
    for (int piece = 0; piece < 10; ++piece) {
      at_piece_(piece);
      std::vector<double> values(100 * wanted.size());
      std::iota(values.begin(), values.end(), piece * 1000.0);
      if (auto status = sink(std::size_t{100} * piece, values); !status) return status;
    }
    return std::monostate{};
  }

 private:
  std::function<void(int)> at_piece_;
};

Result<std::unique_ptr<Table>> open_counting(const std::function<void(int)>& at_piece = [](int) {
}) {
  return open_isolated("counting", [at_piece]() -> Result<std::unique_ptr<Table>> {
    return std::unique_ptr<Table>(std::make_unique<Counting>(at_piece));
  });
}

std::string read_error(Result<std::unique_ptr<Table>> table) {
  const std::vector<std::size_t> wanted = {0};
  const auto status = (*table)->read(wanted, [](auto, auto) { return Status(std::monostate{}); });
  return status.ok() ? "no error" : status.error().message;
}

TEST(IsolatedTable, GivesWhatTheTableGives) {
  const auto table = open_counting();
  EXPECT_THAT((*table)->columns(), ElementsAre("a", "b, \"quoted\""));
  EXPECT_EQ((*table)->rows(), 1000);
  const std::vector<std::size_t> wanted = {1, 0};
  std::int64_t rows = 0;
  const auto status =
      (*table)->read(wanted, [&](std::int64_t first, std::span<const double> values) {
        EXPECT_EQ(first, rows);
        EXPECT_EQ(values.size(), 200u);
        EXPECT_EQ(values[199], 10.0 * double(first) + 199);
        rows += 100;
        return Status(std::monostate{});
      });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(rows, 1000);
}

TEST(IsolatedTable, WorkDoneThereLeavesNoTraceHere) {
  static int pieces = 0;
  EXPECT_EQ(read_error(open_counting([](int) { ++pieces; })), "no error");
  EXPECT_EQ(pieces, 0);
}

TEST(IsolatedTable, ErrorsPassThrough) {
  const auto table = open_isolated("x", []() -> Result<std::unique_ptr<Table>> {
    return ReadError{"no table here", {.file = "x", .line = 7}};
  });
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().message, "no table here");
  EXPECT_EQ(table.error().where.text(), "x:7");
}

TEST(IsolatedTable, TheSinksErrorEndsTheReading) {
  const auto table = open_counting();
  int pieces = 0;
  const auto status = (*table)->read(std::vector<std::size_t>{0}, [&](auto, auto) {
    return ++pieces == 3 ? Status(ReadError{"enough", {}}) : Status(std::monostate{});
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "enough");
  EXPECT_EQ(pieces, 3);
}

#ifndef __SANITIZE_ADDRESS__  // there an allocation that fails ends the program
TEST(IsolatedTable, AsksForNoMoreMemoryThanItMay) {
  const auto greedy = [](int) { std::vector<char>(std::size_t{8} << 30).back() = 1; };
  EXPECT_THAT(read_error(open_counting(greedy)), HasSubstr("needs more than 4 GiB of memory"));
}
#endif

TEST(IsolatedTable, ACrashIsAnError) {
  EXPECT_THAT(read_error(open_counting([](int piece) {
                if (piece == 5) std::raise(SIGSEGV);
              })),
              HasSubstr("damaged: the program that reads it crashed: Segmentation fault"));
  EXPECT_THAT(read_error(open_counting([](int piece) {
                if (piece == 5) std::abort();
              })),
              HasSubstr("crashed: Aborted"));
  EXPECT_THAT(read_error(open_counting([](int piece) {
                if (piece == 5) ::_exit(0);
              })),
              HasSubstr("ended too early"));
  const auto table = open_isolated("x", []() -> Result<std::unique_ptr<Table>> {
    std::raise(SIGFPE);
    return ReadError{"never said", {}};
  });
  EXPECT_THAT(table.error().message, HasSubstr("crashed: Floating point exception"));
}

}  // namespace
}  // namespace mase::io
