#pragma once

#include <cstdint>
#include <vector>

#include "mase/data/columns.h"
#include "mase/data/dataset.h"
#include "mase/io/tables/table.h"

namespace mase::data {

// Changes whenever prepare_table would give other values for the same file, or refuse it, so that
// no cached result of an older program is taken for a current one.
inline constexpr std::uint32_t kPreparationVersion = 2;

// What a prepared table holds: features standardised, float32 [N, features]; labels int64 [N].
struct Prepared {
  Split train;
  Split test;
  std::int64_t rows_read = 0;
  std::int64_t duplicates = 0;
};

// From a table with feature columns and a label, as the original prepares it:
//  1. rows equal to an earlier one in all these columns are dropped;
//  2. a fifth of the rows (rounded up), the first of numpy's permutation with seed 42, are the test
//     part, the others, in the order of the permutation, the training part;
//  3. features lose the mean of the training part and are divided by its standard deviation
//     (divisor n; 1 where the column is constant), computed in double precision;
//  4. the label is the position of the 1 in one-hot columns, or the class the label column holds.
// Values are held as float32 between the steps. Throws Error{Unreadable} for a damaged file, a
// value that is not finite, a label that is not one-hot or no class, too few rows.
Prepared prepare_table(io::Table& table, const Selection& selection);

// How many rows of both parts each class has.
std::vector<std::int64_t> rows_per_class(const Prepared& rows, std::int64_t classes);

}  // namespace mase::data
