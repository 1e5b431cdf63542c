#pragma once

#include <string>

#include "mase/engine/native/windows.h"
#include "mase/ops/op.h"

namespace mase::engine::native {

// A convolution or a pooling of samples [channels, height, width] (height 1 for sequences).
struct PlanWindows {
  int groups = 1;    // pooling: channels
  int channels = 1;  // read by one group
  int results = 1;   // channels made by one group
  int in_area = 1;   // height x width
  int out_area = 1;
  int kernel = 1;  // weights between two channels
  Windows forward;
  Windows input_gradient;  // of convolutions; poolings scatter by `forward`
  bool once = false;       // pooling: every entry of the input lies in exactly one window
};

bool has_windows(const ir::Node& node);  // a convolution or a pooling

// Why the engine leaves this node to another; "" if it does not.
std::string why_not_windows(const ir::Node& node);

// The tables of such a node for inputs of its types. Throws Error{Unsupported} for other input
// than [batch, channels, space...].
PlanWindows plan_windows(const ops::Site& site);

// A linear layer as a convolution of one pixel.
PlanWindows dense_windows(int inputs, int outputs);

}  // namespace mase::engine::native
