// The list of ops and the ways to look one up.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mase/ops/rows.h"
#include "mase/support/suggest.h"

namespace mase::ops {
namespace {

// Sorted by name; a test holds that.
constexpr std::array kOps = {
    &kAdaptiveAvgPool1d,
    &kAdaptiveAvgPool2d,
    &kAdd,
    &kAvgPool1d,
    &kAvgPool2d,
    &kBatchNorm1d,
    &kBatchNorm2d,
    &kBmm,
    &kConv1d,
    &kConv2d,
    &kDropout,
    &kFlatten,
    &kHardtanh,
    &kIdentity,
    &kLinear,
    &kMatmul,
    &kMaxPool1d,
    &kMaxPool2d,
    &kMul,
    &kRelu,
    &kRelu6,
    &kReshape,
    &kSigmoid,
    &kSize,
    &kSoftmax,
    &kSub,
    &kTanh,
    &kView,
};

template <typename Predicate>
const Op* first(Predicate&& fits) {
  const auto found = std::find_if(kOps.begin(), kOps.end(), fits);
  return found == kOps.end() ? nullptr : *found;
}

}  // namespace

std::span<const Op* const> ops() {
  return kOps;
}

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::Module:
      return "module";
    case Kind::ModuleRelatedFunc:
      return "module_related_func";
    case Kind::BuiltinFunc:
      return "builtin_func";
    case Kind::ImplicitFunc:
      return "implicit_func";
    case Kind::Placeholder:
      return "placeholder";
    case Kind::GetAttr:
      return "get_attr";
    case Kind::Output:
      return "output";
  }
  return "";
}

const Op* find_op(std::string_view name) {
  return first([&](const Op* op) { return op->name == name; });
}

const Op* find_layer(std::string_view class_name) {
  if (class_name.empty()) return nullptr;
  return first([&](const Op* op) { return op->layer == class_name; });
}

const Op* find_function(std::string_view qualified_name) {
  return first([&](const Op* op) {
    return std::find(op->functions.begin(), op->functions.end(), qualified_name) !=
           op->functions.end();
  });
}

const Op* find_method(std::string_view method) {
  if (method.empty()) return nullptr;
  return first([&](const Op* op) { return op->method == method; });
}

const Op* find_op_of(const ir::Node& node) {
  switch (node.kind) {
    case ir::NodeKind::Placeholder:
    case ir::NodeKind::GetAttr:
    case ir::NodeKind::Output:
      return nullptr;
    default:
      return find_op(node.op);
  }
}

bool may_be_quantised(const ir::Node& node, std::string_view argument) {
  const Op* op = find_op_of(node);
  if (!op || op->quantisable.empty()) return false;
  return argument == kResult || std::find(op->quantisable.begin(), op->quantisable.end(),
                                          argument) != op->quantisable.end();
}

const Op& op_of(const ir::Node& node) {
  if (const Op* op = find_op_of(node)) return *op;
  std::vector<std::string> names;
  for (const Op* op : kOps) names.emplace_back(op->name);
  unsupported(fmt::format("there is no op '{}'", node.op), {.node = node.name},
              did_you_mean(node.op, names));
}

Kind kind_of(const ir::Node& node) {
  switch (node.kind) {
    case ir::NodeKind::Placeholder:
      return Kind::Placeholder;
    case ir::NodeKind::GetAttr:
      return Kind::GetAttr;
    case ir::NodeKind::Output:
      return Kind::Output;
    case ir::NodeKind::CallModule:
      return op_of(node).kind;
    case ir::NodeKind::CallFunction:
    case ir::NodeKind::CallMethod:
      break;
  }
  const Op& op = op_of(node);
  return op.function_kind.value_or(op.kind);
}

}  // namespace mase::ops
