#pragma once

#include <string>
#include <vector>

#include "mase/ir/graph.h"

// Networks that the native engine covers, for tests that hold each of them to something.
namespace mase::engine::test {

struct NativeCase {
  std::string name;
  ir::Graph graph;
  ir::Shape sample;  // of one input
};

std::vector<NativeCase> native_cases();

}  // namespace mase::engine::test
