#pragma once

// The whole library for programs that use it: `#include "mase/mase.h"`. The library's own files
// include what they use, each by its name.
#include "mase/data/dataset.h"
#include "mase/engine/call_layer.h"
#include "mase/engine/engine.h"
#include "mase/io/graph/load.h"
#include "mase/io/tables/table.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/ir/graph.h"
#include "mase/ir/graph_text.h"
#include "mase/models/model.h"
#include "mase/numerics/format.h"
#include "mase/ops/op.h"
#include "mase/passes/passes.h"
#include "mase/support/error.h"
#include "mase/train/sweep/report.h"
#include "mase/train/sweep/sweep.h"
#include "mase/train/train.h"
