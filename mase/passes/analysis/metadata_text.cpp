// How parameters look inside of printed metadata: as PyTorch prints them.
#include "mase/passes/analysis/metadata_text.h"

namespace mase::passes {

ir::Value printable(const ir::ArgumentMeta& entry) {
  ir::Value out = entry.to_value();
  const auto* tensor = entry.value.get<ir::Tensor>();
  if (entry.kind == ir::ArgumentMeta::Kind::Parameter && tensor != nullptr) {
    // A type name prints as it is, without quotes.
    out["value"] =
        ir::TypeName{"Parameter containing:\n" + ir::print_tensor(*tensor, "requires_grad=True")};
  }
  return out;
}

ir::Value printable(const ir::CommonMeta& common) {
  ir::Value out = common.to_value();
  if (ir::Value* args = out.find("args")) {
    for (const auto& [name, entry] : common.args) (*args)[name] = printable(entry);
  }
  return out;
}

bool is_data_argument(std::string_view argument) {
  return argument.find("data_in") != std::string_view::npos;
}

}  // namespace mase::passes
