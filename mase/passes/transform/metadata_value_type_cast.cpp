// metadata_value_type_cast: a function over the leaves of all metadata, mostly to turn tensors into
// something that a text file can hold.
#include "mase/passes/transform/metadata_value_type_cast.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "mase/support/suggest.h"

namespace mase::passes {
namespace {

constexpr ir::DType kTypes[] = {ir::DType::Bool,    ir::DType::UInt8,    ir::DType::Int8,
                                ir::DType::Int16,   ir::DType::Int32,    ir::DType::Int64,
                                ir::DType::Float16, ir::DType::BFloat16, ir::DType::Float32,
                                ir::DType::Float64};

ir::Value nested_list(const ir::Tensor& tensor, std::size_t dim, std::int64_t& next) {
  if (dim == tensor.shape().size()) {
    const std::int64_t i = next++;
    if (tensor.dtype() == ir::DType::Bool) return tensor.at(i) != 0;
    if (ir::is_floating(tensor.dtype())) return tensor.at(i);
    return static_cast<std::int64_t>(tensor.at(i));
  }
  ir::List out;
  for (std::int64_t i = 0; i < tensor.dim(dim); ++i) {
    out.push_back(nested_list(tensor, dim + 1, next));
  }
  return out;
}

ir::Value cast(const ir::Value& value, const CastFunction& fn);

ir::Dict cast(const ir::Dict& dict, const CastFunction& fn) {
  ir::Dict out;
  for (const auto& [key, item] : dict) out.emplace_back(key, cast(item, fn));
  return out;
}

ir::List cast(const ir::List& list, const CastFunction& fn) {
  ir::List out;
  for (const ir::Value& item : list) out.push_back(cast(item, fn));
  return out;
}

ir::Value cast(const ir::Value& value, const CastFunction& fn) {
  if (const auto* dict = value.get<ir::Dict>()) return cast(*dict, fn);
  if (const auto* list = value.get<ir::List>()) return cast(*list, fn);
  if (const auto* tuple = value.get<ir::Tuple>()) return ir::Tuple{cast(tuple->items, fn)};
  return fn(value);
}

void cast(ir::Named<ir::ArgumentMeta>& entries, const CastFunction& fn) {
  for (auto& [name, entry] : entries) {
    // An absent value is no value: a function must not make one up.
    if (!entry.value.is_none()) entry.value = cast(entry.value, fn);
    if (entry.kind == ir::ArgumentMeta::Kind::Constant) entry.constant = cast(entry.constant, fn);
  }
}

void cast(ir::Named<ir::SoftwareEntry>& entries, const CastFunction& fn) {
  for (auto& [name, entry] : entries) {
    entry.stat = cast(entry.stat, fn);
    entry.extra = cast(entry.extra, fn);
  }
}

PassResult run_metadata_value_type_cast(const ir::Graph& graph, const Options& options, Context&) {
  return {.graph = metadata_value_type_cast(graph, cast_function(options.text("fn"))),
          .info = {},
          .hits = {}};
}

std::vector<std::string_view> function_names() {
  std::vector<std::string_view> names = {"to_list", "to_numpy", "drop"};
  for (ir::DType type : kTypes) names.push_back(ir::name(type));
  return names;
}

}  // namespace

ir::Graph metadata_value_type_cast(const ir::Graph& graph, const CastFunction& fn) {
  ir::Graph out = graph;
  for (ir::Node& node : out.nodes_mut()) {
    if (node.meta.common) {
      cast(node.meta.common->args, fn);
      cast(node.meta.common->results, fn);
    }
    if (node.meta.software) {
      cast(node.meta.software->args, fn);
      cast(node.meta.software->results, fn);
    }
    node.meta.hardware = cast(node.meta.hardware, fn);
  }
  out.meta = cast(out.meta, fn);
  return out;
}

CastFunction cast_function(std::string_view name) {
  const auto of_tensors = [](std::function<ir::Value(const ir::Tensor&)> fn) {
    return [fn = std::move(fn)](const ir::Value& value) {
      const auto* tensor = value.get<ir::Tensor>();
      return tensor && tensor->defined() ? fn(*tensor) : value;
    };
  };
  if (name == "to_list" || name == "to_numpy") {
    return of_tensors([](const ir::Tensor& tensor) {
      std::int64_t next = 0;
      return nested_list(tensor, 0, next);
    });
  }
  if (name == "drop") return of_tensors([](const ir::Tensor&) { return ir::Value(); });
  if (ir::DType type; ir::parse_dtype(name, type)) {
    return of_tensors([type](const ir::Tensor& tensor) { return ir::Value(tensor.to(type)); });
  }
  std::vector<std::string> known;
  for (std::string_view known_name : function_names()) known.emplace_back(known_name);
  std::string hint = did_you_mean(name, known);
  if (hint.empty()) hint = fmt::format("choose from {}", fmt::join(known, ", "));
  usage_error(fmt::format("no function '{}' for values of the metadata", name), {},
              std::move(hint));
}

const Pass kMetadataValueTypeCast{
    .name = "metadata_value_type_cast",
    .kind = PassKind::Transform,
    .summary = "turn the tensors inside the metadata into lists, another type, or nothing",
    .options = {{.name = "fn",
                 .type = FieldType::Text,
                 .choices = function_names(),
                 .help = "what becomes of each tensor"}},
    .run = run_metadata_value_type_cast,
};

}  // namespace mase::passes
