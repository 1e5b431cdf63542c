#pragma once

#include <string>

#include "mase/ir/value.h"

namespace mase::io {

// A dictionary as block-style YAML, keys sorted, texts quoted where they would read as something
// else: what PyYAML's safe_dump writes (hparams.yaml), but long texts stay on one line. Values that
// are no plain data are written as their repr.
std::string write_yaml(const ir::Dict& values);

}  // namespace mase::io
