#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "mase/ir/tensor.h"
#include "mase/passes/pass.h"

// Statistics of tensors that come one after the other ("samples"): one row each, in a file of their
// own. A collector is made from a row and its options, takes samples and gives a dictionary.
namespace mase::passes::statistics {

// Which elements a result is taken over.
struct Dims {
  enum class Kind {
    All,   // everything: one number
    None,  // the samples, element by element: a result of their shape
    List,  // the samples and the listed dimensions of each (counted from the end if negative)
  };
  Kind kind = Kind::All;
  std::vector<std::int64_t> list = {};
};

class Collector {
 public:
  virtual ~Collector() = default;
  // Computes in float32 whatever the element type. Throws Error{Usage} for a sample whose shape
  // does not fit the dimensions or the samples before it.
  virtual void update(const ir::Tensor& sample) = 0;
  // Numbers, nested lists, or "NA" where there are too few samples.
  virtual ir::Dict result() const = 0;
};

struct Statistic {
  std::string_view name;
  std::string_view summary;
  std::vector<Field> options = {};
  std::unique_ptr<Collector> (*make)(const Options&) = nullptr;
};

// All statistics, sorted by name (statistics/table.cpp).
std::span<const Statistic* const> statistics();
const Statistic* find_statistic(std::string_view name);

// A statistic that somebody asked for, by name, with options as they are written in a
// configuration.
struct Request {
  std::string name;
  ir::Dict options = {};
};
// Problems (unknown name or option, value out of range) go to `diagnostics`; null then.
std::unique_ptr<Collector> make_collector(const Request& request, Diagnostics& diagnostics,
                                          const Location& where = {},
                                          const ir::Named<Location>& places = {});

}  // namespace mase::passes::statistics
