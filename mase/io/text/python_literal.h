#pragma once

#include <string_view>

#include "mase/ir/value.h"
#include "mase/support/result.h"

namespace mase::io {

// A Python literal as npy headers hold them: None, True, numbers, texts, tuples, lists and
// dictionaries with text keys, nested at most 32 deep. Nothing else is accepted or evaluated.
Result<ir::Value> parse_python_literal(std::string_view text);

}  // namespace mase::io
