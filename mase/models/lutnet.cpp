// Networks of the LUTNet paper (Wang et al. 2019).
#include <fmt/format.h>

#include "mase/models/builder.h"
#include "mase/models/rows.h"

namespace mase::models {
namespace {

ir::Graph lfc(const data::Info& info, std::uint64_t seed) {
  std::vector<std::string> texts{fmt::format("Linear({}, 256)", info.num_features),
                                 "BatchNorm1d(256)"};
  for (int i = 0; i < 3; ++i) {
    texts.emplace_back("Linear(256, 256)");
    texts.emplace_back("BatchNorm1d(256)");
  }
  texts.push_back(fmt::format("Linear(256, {})", info.num_classes));
  texts.push_back(fmt::format("BatchNorm1d({})", info.num_classes));
  texts.emplace_back("Softmax()");
  return Builder(kLfc.name, kLfc.class_name, seed).flatten().layers("seq_blocks", texts).finish();
}

}  // namespace

const ModelRow kLfc{.name = "lfc",
                    .class_name = "LFC",
                    .summary = "five linear layers, 256 wide, with batch norm and a softmax",
                    .shown_with = "mnist",
                    .build = lfc};

}  // namespace mase::models
