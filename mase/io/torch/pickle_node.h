#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mase/io/torch/pickle.h"

namespace mase::io {

// What an Object shares; which members are used follows from its kind.
struct ObjectNode {
  std::string text;
  std::string module;
  std::vector<Object> items;
  std::vector<std::pair<Object, Object>> entries;
  std::vector<Object> call;  // callee, arguments (a Tuple), and what BUILD was given
  int height = -1;           // the reader's mark: unknown, being visited (-2), or levels below
};

}  // namespace mase::io
