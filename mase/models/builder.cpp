// Writes the graphs of networks that are chains of layers.
#include "mase/models/builder.h"

#include <fmt/format.h>

#include <utility>

namespace mase::models {

Builder::Builder(std::string_view name, std::string_view class_name, std::uint64_t seed)
    : graph_(std::string(name), std::string(class_name)), random_(seed) {
  graph_.add({.name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
}

Builder& Builder::flatten() {
  const std::string size = graph_
                               .add({.kind = ir::NodeKind::CallMethod,
                                     .op = "size",
                                     .target = "size",
                                     .args = {ir::NodeRef{last_}, 0}})
                               .name;
  last_ = graph_
              .add({.kind = ir::NodeKind::CallMethod,
                    .op = "view",
                    .target = "view",
                    .args = {ir::NodeRef{last_}, ir::NodeRef{size}, -1}})
              .name;
  return *this;
}

Builder& Builder::layer(const std::string& path, std::string_view text, const Location& where) {
  return layer(path, ops::parse_layer(text, where), where);
}

Builder& Builder::layer(const std::string& path, const ops::LayerText& layer,
                        const Location& where) {
  try {
    last_ = ops::add_layer(graph_, *layer.op, layer.attributes, path, last_, random_).name;
  } catch (const Error& error) {
    if (where.empty() || error.kind() == ErrorKind::Internal) throw;
    throw Error(error.kind(), error.message(), where, error.hint());
  }
  return *this;
}

Builder& Builder::layers(std::string_view container, const std::vector<std::string>& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i)
    layer(fmt::format("{}.{}", container, i), texts[i]);
  return *this;
}

Builder& Builder::unused(const std::string& path, std::string_view text) {
  const ops::LayerText layer = ops::parse_layer(text);
  ops::add_parameters(graph_, *layer.op, layer.attributes, path, random_);
  return *this;
}

ir::Graph Builder::finish() {
  graph_.add({.name = "output",
              .kind = ir::NodeKind::Output,
              .op = "output",
              .target = "output",
              .args = {ir::NodeRef{last_}}});
  return std::move(graph_);
}

}  // namespace mase::models
