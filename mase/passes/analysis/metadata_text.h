#pragma once

#include <string_view>

#include "mase/ir/metadata.h"

namespace mase::passes {

// Metadata as users know it printed: the values of parameters read "Parameter containing:" on a
// line and then the tensor, with its mark of being trained. For text only: such values are no
// tensors any more.
ir::Value printable(const ir::ArgumentMeta& entry);
ir::Value printable(const ir::CommonMeta& common);

// Whether an argument holds data ("data_in_0") rather than a parameter.
bool is_data_argument(std::string_view argument);

}  // namespace mase::passes
