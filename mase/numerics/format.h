#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/numerics/rounding.h"
#include "mase/support/field.h"

// A number format is one row (Format); a format with its parameters filled in is a Precision; what
// a Precision is put on is an Edge. One kernel per format works on plain spans of float32, so every
// engine, export and test vector uses the same bits. Nothing outside of this folder needs to know
// which formats there are.
namespace mase::numerics {

// What the code of an element depends on beside the element and the state.
enum class Granularity {
  Element,  // nothing: elements may come in any order, cut into pieces
  Block,    // its neighbours, of the same sample where dimension 0 counts samples
};

struct Format;

// Values of a format's fields. One that may stay open and does is None.
using Values = std::map<std::string, FieldValue, std::less<>>;

// A format with its parameter values: the precision of one edge of the graph.
struct Precision {
  const Format* format = nullptr;  // null = float32, left alone
  Values values;                   // of all fields of the format
  std::string_view alias = "";     // the name it was asked for by, where that is an alias

  bool is_float() const { return format == nullptr; }
  std::string_view type() const;  // "float", "integer", "fixed" for its alias, ...
  // A value by the name of its field. Error{Internal} if the format has no such field, or its value
  // is of another kind or open.
  std::int64_t integer(std::string_view name) const;
  bool flag(std::string_view name) const;
  std::string_view text(std::string_view name) const;
  std::optional<std::int64_t> integer_if(std::string_view name) const;  // nothing if it is open
  std::vector<std::int64_t> integers(std::string_view name) const;      // of a list
  // The list users see in the metadata, in the order of the format's rows: [8, 4], [32] for float.
  FieldValue::List list() const;
  std::string text() const;  // "integer(8, 4)"
  // Everything that makes a difference: "integer(width=8, frac_width=4, is_signed=True, ...)".
  std::string full_text() const;
  bool operator==(const Precision& other) const {
    return format == other.format && values == other.values;
  }
};

// What a kernel must know of a tensor beside its elements, which lie in row-major order.
struct Edge {
  std::vector<std::int64_t> shape = {};
  bool samples_first = false;  // dimension 0 counts samples
  std::int64_t channel_axis = 0;
  // One span per row of Format::state, of the elements that state_shape says.
  std::span<const std::span<const float>> state = {};

  std::int64_t elements() const;
  std::int64_t elements_per_sample() const;
  std::int64_t channels() const;
};
// Bits of a tensor without shared parts.
double element_bits(const Edge& edge, std::int64_t bits_each);
// The edge of a parameter, whose channels come first, and of what flows through the graph, whose
// channels come behind the samples.
Edge parameter_edge(std::vector<std::int64_t> shape);
Edge data_edge(std::vector<std::int64_t> shape);

// Codes of a quantised tensor: value = decode(elements, shared parts). Formats without shared parts
// leave those empty; others hold one entry per block or channel, in row-major order.
struct Codes {
  std::vector<std::int64_t> elements;
  std::vector<std::int64_t> exponents = {};  // shared exponents, powers of two
  std::vector<double> scales = {};           // shared real factors
};

// Codes in even steps: value = (code - zero) * step for whole codes from low to high.
struct AffineGrid {
  std::vector<double> steps;  // one, or one per channel
  double zero = 0;
  double low = 0;
  double high = 0;
  Rounding rounding = Rounding::NearestEven;
  Overflow overflow = Overflow::Saturate;

  // The only step, if it is a power of two around zero, rounding is to the nearest and what lies
  // outside saturates: dividing by it loses nothing, so that codes can take a value's place.
  std::optional<double> binary_step() const;
};

// Something that a format keeps of a tensor and that training moves: a step size. It travels as a
// parameter of the graph, "<layer>.<argument>_<name>".
struct StateRow {
  std::string_view name;
  std::string_view help;
};

struct Format {
  std::string_view name;
  std::vector<std::string_view> aliases;
  std::string_view summary;
  std::string_view layer_suffix;  // Linear -> LinearInteger
  std::vector<Field> fields;      // the first `listed` ones appear in Precision::list()
  std::size_t listed = 0;
  Granularity granularity = Granularity::Element;

  // Out of place or in place (in == out).
  void (*quantise)(const Precision&, const Edge&, std::span<const float> in,
                   std::span<float> out) = nullptr;
  // The gradient of the input from that of the output (the spans may be one) and, added to, those
  // of the state. Null = straight through (Bengio, Leonard, Courville 2013): they are the same.
  void (*gradient)(const Precision&, const Edge&, std::span<const float> in,
                   std::span<const float> grad_out, std::span<float> grad_in,
                   std::span<const std::span<float>> grad_state) = nullptr;
  Codes (*encode)(const Precision&, const Edge&, std::span<const float> in) = nullptr;
  void (*decode)(const Precision&, const Edge&, const Codes&, std::span<float> out) = nullptr;
  // How many elements lie outside of what the codes reach after rounding; null = nothing does.
  std::int64_t (*out_of_range)(const Precision&, const Edge&, std::span<const float> in) = nullptr;
  // Of the whole tensor, with what its elements share; the state of a running network included.
  double (*bits)(const Precision&, const Edge&) = nullptr;
  // How the code of element i reads to people: "-4/16".
  std::string (*code_text)(const Precision&, const Edge&, const Codes&, std::size_t i) = nullptr;
  // Says what is wrong with a combination of values ("" = fine); fields are checked before.
  std::string (*check)(const Precision&) = nullptr;
  // Where codes lie in even steps (for the state at hand); null = they do not.
  std::optional<AffineGrid> (*affine)(const Precision&, const Edge&) = nullptr;

  std::vector<StateRow> state = {};
  // Shape of a state's tensor, and its values for a first sight of the data.
  std::vector<std::int64_t> (*state_shape)(const Precision&, const Edge&) = nullptr;
  void (*initialise)(const Precision&, const Edge&, std::span<const float> in,
                     std::span<const std::span<float>> state) = nullptr;
};

// All formats, sorted by name (numerics/table.cpp).
std::span<const Format* const> formats();
// By name or alias; null if there is none.
const Format* find_format(std::string_view name);
// Every name and alias, for messages.
std::vector<std::string> format_names();

// A checked Precision, with what is not given filled in. Throws Error{Usage} naming the parameter,
// its range and the nearest name.
Precision make_precision(const Format& format, Values values);
// The same by name or alias.
Precision make_precision(std::string_view name, Values values);

// The commonest one (numerics/integer.cpp): fixed point.
Precision integer(int width, std::optional<int> frac_width, bool is_signed = true);

// Free functions for callers that hold a Precision; a float precision copies.
void quantise(const Precision&, const Edge&, std::span<const float> in, std::span<float> out);
Codes encode(const Precision&, const Edge&, std::span<const float> in);
void decode(const Precision&, const Edge&, const Codes&, std::span<float> out);
std::int64_t out_of_range(const Precision&, const Edge&, std::span<const float> in);
double bits(const Precision&, const Edge&);  // 32 per element for float
double bits_per_element(const Precision&, const Edge&);
std::optional<AffineGrid> affine(const Precision&, const Edge& = {});
bool has_state(const Precision&);

}  // namespace mase::numerics
