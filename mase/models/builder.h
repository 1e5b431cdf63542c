#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/ops/op.h"
#include "mase/support/error.h"
#include "mase/support/random.h"

namespace mase::models {

// Writes a feed-forward graph from its input `x` on: each addition reads what was added last.
// Initial parameters are drawn in the order of the additions, as PyTorch does from the same seed.
class Builder {
 public:
  Builder(std::string_view name, std::string_view class_name, std::uint64_t seed);

  // x.view(x.size(0), -1): two method calls.
  Builder& flatten();
  // One layer, as PyTorch prints it or users write it. `where` is the place of `text` in a file.
  Builder& layer(const std::string& path, std::string_view text, const Location& where = {});
  Builder& layer(const std::string& path, const ops::LayerText& layer, const Location& where = {});
  // Layers of a container, at <container>.0, <container>.1, ...
  Builder& layers(std::string_view container, const std::vector<std::string>& texts);
  // The parameters of a member that the forward pass does not use.
  Builder& unused(const std::string& path, std::string_view text);
  ir::Graph finish();  // adds the output node

 private:
  ir::Graph graph_;
  Random random_;
  std::string last_ = "x";
};

}  // namespace mase::models
