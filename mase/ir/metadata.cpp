// Typed metadata and its view as nested dictionaries (the form users read).
#include "mase/ir/metadata.h"

namespace mase::ir {
namespace {

template <typename T>
Dict entries(const Named<T>& items) {
  Dict out;
  for (const auto& [name, item] : items) out.emplace_back(name, item.to_value());
  return out;
}

Value software_entry(const SoftwareEntry& entry) {
  Dict out{{"stat", entry.stat}};
  for (const auto& item : entry.extra) out.push_back(item);
  return out;
}

Dict software_entries(const Named<SoftwareEntry>& items) {
  Dict out;
  for (const auto& [name, item] : items) out.emplace_back(name, software_entry(item));
  return out;
}

}  // namespace

Value ArgumentMeta::to_value() const {
  Dict out;
  switch (kind) {
    case Kind::Data:
      out = {{"shape", Value::list(shape)},
             {"torch_dtype", dtype},
             {"type", type},
             {"precision", precision}};
      break;
    case Kind::Parameter:
      out = {{"type", type},
             {"precision", precision},
             {"shape", Value::list(shape)},
             {"from", None{}}};
      break;
    case Kind::Constant:
      return constant;
    case Kind::Other:
      out = {{"type", TypeName{type}}, {"shape", Value::list(shape)}};
      break;
  }
  if (!value.is_none()) out.emplace_back("value", value);
  return out;
}

Value CommonMeta::to_value() const {
  if (mase_type.empty()) return Dict{};
  return Dict{{"mase_type", mase_type},
              {"mase_op", mase_op},
              {"args", entries(args)},
              {"results", entries(results)}};
}

Value SoftwareMeta::to_value() const {
  Dict out;
  if (has_args) out.emplace_back("args", software_entries(args));
  if (has_results) out.emplace_back("results", software_entries(results));
  return out;
}

Value Metadata::to_value() const {
  return Dict{{"common", common ? common->to_value() : Value(Dict{})},
              {"software", software ? software->to_value() : Value(Dict{})},
              {"hardware", hardware}};
}

}  // namespace mase::ir
