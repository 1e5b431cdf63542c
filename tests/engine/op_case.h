#pragma once

#include <string>
#include <vector>

#include "tests/engine/networks.h"

// One op on given inputs and what a formula in double precision says of the result.
namespace mase::engine::test {

using Numbers = std::vector<double>;

struct OpCase {
  std::string name;
  ir::Graph graph;
  std::vector<ir::Tensor> inputs;
  Numbers expected;
  Mode mode = Mode::Eval;
};

std::vector<OpCase> convolution_cases();  // window_cases.cpp
std::vector<OpCase> pooling_cases();

}  // namespace mase::engine::test
