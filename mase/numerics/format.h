#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// A number format is one row (Format); a format with its parameters filled in is a Precision. One
// kernel per format works on plain spans of float32, so every engine, export and test vector uses
// the same bits.
namespace mase::numerics {

enum class Granularity { Element, Block, Tensor };
enum class Rounding { NearestEven, NearestAway, TowardZero, Down, Up };
enum class Overflow { Saturate, Wrap };
enum class Gradient { StraightThrough, Clipped };

std::string_view name(Rounding rounding);
std::string_view name(Overflow overflow);

// One parameter of a format, as it is written in a configuration (data_in_<name>, ...).
struct Parameter {
  std::string_view name;
  std::int64_t low;  // smallest and largest value allowed
  std::int64_t high;
  // The value taken when none is given; absent = the parameter must be given, unless `optional`.
  std::optional<std::int64_t> standard = std::nullopt;
  bool optional = false;  // "NA" is allowed: the format derives the value itself
  std::string_view help;
};

// Values by parameter name. A parameter that is absent here was given as "NA" or not at all.
using Values = std::map<std::string, std::int64_t, std::less<>>;

// What a kernel must know of the tensor beside its elements. Element-wise formats ignore it; block
// formats cut blocks along `shape` as `block` says (matched from the right, -1 = whole dimension).
struct Layout {
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> block;
  bool skip_first_dim = false;
};

// Integer codes of a quantised tensor: value = decode(elements, scales). Formats without shared
// parts leave `scales` empty; block formats hold one entry per block in row-major block order.
struct Codes {
  std::vector<std::int64_t> elements;
  std::vector<std::int64_t> scales;
};

struct Format;

// A format with its parameter values: the precision of one edge of the graph.
struct Precision {
  const Format* format = nullptr;  // null = float32, left alone
  Values values;
  Rounding rounding = Rounding::NearestEven;
  Overflow overflow = Overflow::Saturate;

  bool is_float() const { return format == nullptr; }
  std::string_view type() const;  // "float", "integer", ...
  // The list users see in the metadata, in the order of the format's rows: [8, 4], [32] for float.
  std::vector<std::optional<std::int64_t>> list() const;
  std::string text() const;  // "integer(8, 4)"
  bool operator==(const Precision&) const = default;
};

struct Format {
  std::string_view name;
  std::vector<std::string_view> aliases;
  std::string_view summary;
  std::string_view layer_suffix;      // Linear -> LinearInteger
  std::vector<Parameter> parameters;  // the first `listed` ones appear in Precision::list()
  std::size_t listed = 0;
  Granularity granularity = Granularity::Element;
  Gradient gradient = Gradient::StraightThrough;
  // Out of place or in place (in == out); both spans have the product of layout.shape elements.
  void (*quantise)(const Precision&, const Layout&, std::span<const float> in,
                   std::span<float> out) = nullptr;
  Codes (*encode)(const Precision&, const Layout&, std::span<const float> in) = nullptr;
  void (*decode)(const Precision&, const Layout&, const Codes&, std::span<float> out) = nullptr;
  // How many elements lie outside of what the codes reach after rounding; null = nothing does.
  std::int64_t (*out_of_range)(const Precision&, const Layout&,
                               std::span<const float> in) = nullptr;
  double (*bits_per_element)(const Precision&) = nullptr;
  // How a code reads to people: "-4/16".
  std::string (*code_text)(const Precision&, std::int64_t code) = nullptr;
  // Says what is wrong with a combination of values ("" = fine); ranges are checked before.
  std::string (*check)(const Precision&) = nullptr;
};

// All formats, sorted by name (numerics/table.cpp).
std::span<const Format* const> formats();
// By name or alias; null if there is none.
const Format* find_format(std::string_view name);

// A checked Precision. Throws Error{Usage} naming the parameter, its range and the nearest name.
Precision make_precision(const Format& format, Values values);

// integer / fixed (numerics/integer.cpp).
Precision integer(int width, std::optional<int> frac_width, bool is_signed = true);

// Free functions for callers that hold a Precision; a float precision copies.
void quantise(const Precision&, const Layout&, std::span<const float> in, std::span<float> out);
Codes encode(const Precision&, const Layout&, std::span<const float> in);
void decode(const Precision&, const Layout&, const Codes&, std::span<float> out);
std::int64_t out_of_range(const Precision&, const Layout&, std::span<const float> in);
double bits_per_element(const Precision&);  // 32 for float

}  // namespace mase::numerics
