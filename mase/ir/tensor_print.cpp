// Tensors as PyTorch prints them: four digits, one width for all elements, scientific notation when
// magnitudes differ by more than 1000 or leave 1e-4..1e8, lines of 80 characters, and above 1000
// elements only three at each end of every dimension.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "mase/ir/value.h"

namespace mase::ir {
namespace {

constexpr std::int64_t kThreshold = 1000;
constexpr std::int64_t kEdge = 3;
constexpr int kLineWidth = 80;
constexpr int kPrefix = 7;  // "tensor("

class TensorPrinter {
 public:
  explicit TensorPrinter(const Tensor& tensor)
      : tensor_(tensor), summarise_(tensor.size() > kThreshold) {
    std::vector<std::int64_t> shown;
    collect(0, 0, shown);
    if (is_floating(tensor.dtype())) {
      choose_notation(shown);
    } else {
      for (std::int64_t i : shown) width_ = std::max(width_, element(i).size());
    }
  }

  std::string print() const { return block(0, 0, kPrefix); }

 private:
  std::int64_t size(std::size_t dim) const { return tensor_.shape()[dim]; }
  bool cut(std::size_t dim) const { return summarise_ && size(dim) > 2 * kEdge; }

  // Elements of one index of `dim`.
  std::int64_t stride(std::size_t dim) const {
    std::int64_t out = 1;
    for (std::size_t d = dim + 1; d < tensor_.shape().size(); ++d) out *= size(d);
    return out;
  }

  // Indices along a dimension that are shown, -1 for the dots.
  std::vector<std::int64_t> indices(std::size_t dim) const {
    std::vector<std::int64_t> out;
    for (std::int64_t i = 0; i < size(dim); ++i) {
      if (cut(dim) && i == kEdge) {
        out.push_back(-1);
        i = size(dim) - kEdge;
      }
      out.push_back(i);
    }
    return out;
  }

  void collect(std::size_t dim, std::int64_t offset, std::vector<std::int64_t>& out) const {
    if (dim == tensor_.shape().size()) return out.push_back(offset);
    for (std::int64_t i : indices(dim)) {
      if (i >= 0) collect(dim + 1, offset + i * stride(dim), out);
    }
  }

  void choose_notation(const std::vector<std::int64_t>& shown) {
    std::vector<double> values;  // finite and not 0
    for (std::int64_t i : shown) {
      const double v = tensor_.at(i);
      if (std::isfinite(v) && v != 0) values.push_back(v);
    }
    if (values.empty()) return;
    double low = std::fabs(values[0]);
    double high = low;
    for (double v : values) {
      low = std::min(low, std::fabs(v));
      high = std::max(high, std::fabs(v));
      whole_ = whole_ && v == std::ceil(v);
    }
    scientific_ = high / low > 1000.0 || high > 1e8 || low < 1e-4;
    for (double v : values) width_ = std::max(width_, number(v).size());
  }

  std::string number(double v) const {
    if (std::isnan(v)) return "nan";
    if (scientific_) return fmt::format("{:.4e}", v);
    if (!whole_) return fmt::format("{:.4f}", v);
    return fmt::format("{:.0f}{}", v, std::isinf(v) ? "" : ".");
  }

  std::string element(std::int64_t i) const {
    if (tensor_.dtype() == DType::Bool) return tensor_.at(i) != 0 ? "True" : "False";
    if (tensor_.dtype() == DType::Int64) {
      return fmt::format("{}", tensor_.values<std::int64_t>()[static_cast<std::size_t>(i)]);
    }
    if (is_floating(tensor_.dtype())) return number(tensor_.at(i));
    return fmt::format("{}", static_cast<std::int64_t>(tensor_.at(i)));
  }

  std::string padded(std::int64_t i) const { return fmt::format("{:>{}}", element(i), width_); }

  std::string row(std::int64_t offset, int indent) const {
    const int room = kLineWidth - indent;
    const int per_line = std::max(1, room / static_cast<int>(width_ + 2));
    std::string out = "[";
    int in_line = 0;
    for (std::int64_t i : indices(tensor_.shape().size() - 1)) {
      if (in_line == per_line) {
        out += ",\n" + std::string(static_cast<std::size_t>(indent) + 1, ' ');
        in_line = 0;
      } else if (in_line > 0) {
        out += ", ";
      }
      out += i < 0 ? " ..." : padded(offset + i);
      ++in_line;
    }
    return out + "]";
  }

  std::string block(std::size_t dim, std::int64_t offset, int indent) const {
    const std::size_t rank = tensor_.shape().size();
    if (rank == 0) return padded(0);
    if (dim + 1 == rank) return row(offset, indent);
    const std::string between = "," + std::string(rank - dim - 1, '\n') +
                                std::string(static_cast<std::size_t>(indent) + 1, ' ');
    std::string out;
    for (std::int64_t i : indices(dim)) {
      if (!out.empty()) out += between;
      out += i < 0 ? "..." : block(dim + 1, offset + i * stride(dim), indent + 1);
    }
    return "[" + out + "]";
  }

  const Tensor& tensor_;
  bool summarise_;
  bool whole_ = true;
  bool scientific_ = false;
  std::size_t width_ = 1;
};

std::string size_text(const Shape& shape) {
  Tuple sizes;
  for (std::int64_t size : shape) sizes.items.emplace_back(size);
  return "size=" + repr(Value(sizes));
}

}  // namespace

std::string print_tensor(const Tensor& tensor, std::string_view suffix) {
  if (!tensor.defined()) return "None";
  std::vector<std::string> suffixes;
  const DType type = tensor.dtype();
  const bool empty = tensor.size() == 0;
  if (empty && tensor.shape().size() != 1) suffixes.push_back(size_text(tensor.shape()));
  const bool told =
      type == DType::Float32 || (!empty && (type == DType::Int64 || type == DType::Bool));
  if (!told) suffixes.push_back(fmt::format("dtype=torch.{}", name(type)));
  if (!suffix.empty()) suffixes.emplace_back(suffix);

  std::string out = "tensor(" + (empty ? "[]" : TensorPrinter(tensor).print());
  // PyTorch counts one character more than the last line has, and two if there is only one line.
  const std::size_t line_end = out.rfind('\n');
  std::size_t column = line_end == std::string::npos ? out.size() + 2 : out.size() - line_end + 1;
  for (const std::string& text : suffixes) {
    if (column + text.size() + 2 > kLineWidth) {
      out += ",\n" + std::string(kPrefix, ' ') + text;
      column = kPrefix + text.size();
    } else {
      out += ", " + text;
      column += text.size() + 2;
    }
  }
  return out + ")";
}

}  // namespace mase::ir
