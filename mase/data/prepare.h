#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "mase/data/dataset.h"
#include "mase/io/table.h"

namespace mase::data {

// Changes whenever prepare_table would give other values for the same file, so that no cached
// result of an older program is taken for a current one.
inline constexpr std::uint32_t kPreparationVersion = 1;

// What a prepared table holds: features standardised, float32 [N, features]; labels int64 [N].
struct Prepared {
  Split train;
  Split test;
  std::int64_t rows_read = 0;
  std::int64_t duplicates = 0;
};

// From a table with feature columns and one-hot label columns, as the original prepares it:
//  1. rows equal to an earlier one in all these columns are dropped;
//  2. a fifth of the rows (rounded up), the first of numpy's permutation with seed 42, are the test
//     part, the others, in the order of the permutation, the training part;
//  3. features lose the mean of the training part and are divided by its standard deviation
//     (divisor n; 1 where the column is constant), computed in double precision;
//  4. the label is the position of the 1 in the label columns.
// Values are held as float32 between the steps. Throws Error{Unreadable} for a damaged file, a
// missing column (naming the nearest), a value that is not finite, a label that is not one-hot, too
// few rows.
Prepared prepare_table(io::Table& table, std::span<const std::string> features,
                       std::span<const std::string> labels);

// The class of all rows if they are all of one, which leaves nothing to learn.
std::optional<std::int64_t> only_class(const Prepared& rows);

}  // namespace mase::data
