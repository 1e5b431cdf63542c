// Names of an optimiser's tensors, as PyTorch calls them, and the check that a state has just
// those.
#include "mase/engine/optimiser_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string_view>

#include "mase/support/error.h"

namespace mase::engine {
namespace {

constexpr std::array<std::string_view, 2> kAdamMemory{"exp_avg", "exp_avg_sq"};
constexpr std::array<std::string_view, 1> kSgdMemory{"momentum_buffer"};

// Tensors of optimisers that are not here, by the name that gives them away.
struct ForeignMemory {
  std::string_view tensor;
  std::string_view owner;
};
constexpr std::array kForeignMemories{
    ForeignMemory{"max_exp_avg_sq", "Adam or AdamW with amsgrad=True"},
    ForeignMemory{"mu_product", "NAdam"},
    ForeignMemory{"exp_inf", "Adamax"},
    ForeignMemory{"square_avg", "RMSprop or Adadelta"},
    ForeignMemory{"sum", "Adagrad"},
    ForeignMemory{"momentum_buffer", "SGD with momentum"},
    ForeignMemory{"exp_avg", "Adam or AdamW"},
};

std::span<const std::string_view> remembered(OptimiserKind kind) {
  if (kind == OptimiserKind::Sgd) return kSgdMemory;
  return kAdamMemory;
}

void check_names(const ir::OptimiserSlot& slot, std::span<const std::string_view> wanted) {
  for (const auto& [name, tensor] : slot.tensors) {
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) continue;
    const auto owner =
        std::find_if(kForeignMemories.begin(), kForeignMemories.end(),
                     [&name = name](const ForeignMemory& f) { return f.tensor == name; });
    usage_error(fmt::format(
        "the optimiser state of '{}' holds '{}': it comes from {}", slot.parameter, name,
        owner == kForeignMemories.end() ? "another kind of optimiser" : owner->owner));
  }
  for (const std::string_view name : wanted) {
    if (ir::find(slot.tensors, name)) continue;
    usage_error(
        fmt::format("the optimiser state of '{}' has no '{}': it comes from another kind of "
                    "optimiser",
                    slot.parameter, name));
  }
}

}  // namespace

void check_memory(const ir::OptimiserState& state, const OptimiserOptions& options,
                  const ir::Named<ir::Shape>& trained) {
  std::set<std::string_view> seen;
  for (const ir::OptimiserSlot& slot : state) {
    const ir::Shape* shape = ir::find(trained, slot.parameter);
    if (!shape) {
      usage_error(
          fmt::format("the optimiser state is of '{}', which is no trained parameter of "
                      "this network",
                      slot.parameter));
    }
    if (!seen.insert(slot.parameter).second) {
      usage_error(fmt::format("the optimiser state holds '{}' twice", slot.parameter));
    }
    if (slot.tensors.empty()) continue;
    check_names(slot, remembered(options.kind));
    for (const auto& [name, tensor] : slot.tensors) {
      if (tensor.shape() == *shape) continue;
      usage_error(fmt::format("'{}' of the optimiser state of '{}' has shape {}, the parameter {}",
                              name, slot.parameter, ir::text(tensor.shape()), ir::text(*shape)));
    }
  }
}

}  // namespace mase::engine
