#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mase/data/dataset.h"
#include "mase/passes/pass.h"

namespace mase::passes {

// One pass over the rows of a split, batch by batch, as values of the placeholder of that name: in
// their order, or in that of the first epoch that is shuffled with this seed. The last batch may
// be short.
BatchSource batches(const data::Split& split, std::int64_t batch_size,
                    std::optional<std::uint64_t> shuffle_seed = std::nullopt,
                    const std::string& placeholder = "x");

}  // namespace mase::passes
