// Elements by group: kept dimensions first, reduced ones last, both in their order.
#include "mase/passes/statistics/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mase::passes::statistics {
namespace {

// Which dimensions of a sample are reduced.
std::vector<bool> reduced_dims(const Dims& dims, const ir::Shape& shape) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::vector<bool> reduced(shape.size(), dims.kind == Dims::Kind::All);
  for (const std::int64_t dim : dims.list) {
    const std::int64_t i = dim < 0 ? dim + rank : dim;
    if (i < 0 || i >= rank) {
      usage_error(fmt::format("dims has dimension {}, but a sample {} has {} dimension{}", dim,
                              ir::text(shape), rank, rank == 1 ? "" : "s"),
                  {},
                  "activations have a leading dimension of 1; weights and biases differ in rank");
    }
    reduced[static_cast<std::size_t>(i)] = true;
  }
  return reduced;
}

ir::Value nested(const ir::Shape& shape, std::span<const double> values) {
  if (shape.empty()) return static_cast<double>(static_cast<float>(values[0]));
  const ir::Shape inner(shape.begin() + 1, shape.end());
  const auto step = static_cast<std::size_t>(ir::element_count(inner));
  ir::List list;
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    list.push_back(nested(inner, values.subspan(static_cast<std::size_t>(i) * step, step)));
  }
  return list;
}

}  // namespace

Field device_option() {
  return {.name = "device",
          .type = FieldType::Text,
          .standard = kOpen,
          .choices = {"cpu"},
          .help = "where the statistic is computed"};
}

Field dims_option() {
  return {.name = "dims",
          .type = FieldType::Any,
          .standard = "all",
          .help = "\"all\", \"NA\" (element by element), or a list of a sample's dimensions"};
}

Field abs_option() {
  return {.name = "abs",
          .type = FieldType::Bool,
          .standard = false,
          .help = "take absolute values first"};
}

Dims read_dims(const Options& options) {
  const ir::Value* value = options.find("dims");
  if (value == nullptr) return {.kind = Dims::Kind::None};
  if (value->is<std::string>() && value->as_text() == "all") return {.kind = Dims::Kind::All};
  Dims dims{.kind = Dims::Kind::List};
  const auto* list = value->get<ir::List>();
  const bool whole = list != nullptr && std::all_of(list->begin(), list->end(), [](const auto& v) {
                       return v.template is<std::int64_t>();
                     });
  if (!whole) {
    usage_error(fmt::format("'dims' must be \"all\", \"NA\" or a list of whole numbers, not {}",
                            ir::repr(*value)),
                options.where("dims"));
  }
  for (const ir::Value& item : *list) dims.list.push_back(item.as_int());
  return dims;
}

Groups Grouper::operator()(const ir::Tensor& sample) {
  const ir::Shape& shape = sample.shape();
  const std::vector<bool> reduced = reduced_dims(dims_, shape);
  Groups groups;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!reduced[i]) groups.shape.push_back(shape[i]);
  }
  groups.count = static_cast<std::size_t>(ir::element_count(groups.shape));
  const auto total = static_cast<std::size_t>(sample.size());
  groups.size = groups.count == 0 ? 0 : total / groups.count;
  if (first_ && *first_ != groups.shape) {
    usage_error(fmt::format("samples of different shapes: {} after {}", ir::text(groups.shape),
                            ir::text(*first_)),
                {}, "use dims = \"all\"");
  }
  first_ = groups.shape;

  groups.values = sample.floats();
  if (absolute_) {
    for (float& value : groups.values) value = std::fabs(value);
  }
  if (dims_.kind != Dims::Kind::List) return groups;

  // Walks the elements in order, counting positions among the kept and the reduced dimensions.
  std::vector<float> sorted(total);
  std::vector<std::int64_t> index(shape.size(), 0);
  for (std::size_t element = 0; element < total; ++element) {
    std::size_t kept = 0;
    std::size_t rest = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      std::size_t& position = reduced[d] ? rest : kept;
      position = position * static_cast<std::size_t>(shape[d]) + static_cast<std::size_t>(index[d]);
    }
    sorted[kept * groups.size + rest] = groups.values[element];
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  groups.values = std::move(sorted);
  return groups;
}

ir::Value shaped(const ir::Shape& shape, std::span<const double> values) {
  return nested(shape, values);
}

ir::Dict range_result(const ir::Shape& shape, std::span<const double> low,
                      std::span<const double> high, std::int64_t count) {
  std::vector<double> range;
  for (std::size_t i = 0; i < low.size(); ++i) {
    range.push_back(static_cast<float>(high[i]) - static_cast<float>(low[i]));
  }
  return {{"min", shaped(shape, low)},
          {"max", shaped(shape, high)},
          {"range", shaped(shape, range)},
          {"count", count}};
}

}  // namespace mase::passes::statistics
