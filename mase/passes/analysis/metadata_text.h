#pragma once

#include "mase/ir/metadata.h"

namespace mase::passes {

// Metadata as users know it printed: the values of parameters read "Parameter containing:" on a
// line and then the tensor, with its mark of being trained. For text only: such values are no
// tensors any more.
ir::Value printable(const ir::ArgumentMeta& entry);
ir::Value printable(const ir::CommonMeta& common);

}  // namespace mase::passes
