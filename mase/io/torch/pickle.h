#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mase/support/result.h"

// Python pickles as data. The reader builds a tree and never imports, calls or executes anything:
// a class or function stays its name, a call of one stays the name with its arguments.
namespace mase::io {

class Object;
struct ObjectNode;
using ObjectPair = std::pair<Object, Object>;

// A node of a pickle's tree. Copies share what is inside.
class Object {
 public:
  enum class Kind {
    None,
    Bool,
    Int,     // fits 64 bits
    BigInt,  // does not: bytes() is its two's complement, lowest byte first
    Float,
    Text,
    Bytes,
    Tuple,
    List,
    Set,
    Dict,
    Global,      // a class or function, by module and name
    Call,        // callee(arguments), with what was appended, set and built on the result
    Persistent,  // a reference to something outside: items()[0] is its id
  };

  Object() = default;
  Object(bool value) : kind_(Kind::Bool) { scalar_.integer = value; }
  Object(std::int64_t value) : kind_(Kind::Int) { scalar_.integer = value; }
  Object(int value) : Object(static_cast<std::int64_t>(value)) {}
  Object(double value) : kind_(Kind::Float) { scalar_.real = value; }
  Object(std::string text);
  Object(const char* text) : Object(std::string(text)) {}
  static Object bytes(std::string raw);
  static Object big_int(std::string raw);
  static Object tuple(std::vector<Object> items);
  static Object list(std::vector<Object> items);
  static Object set(std::vector<Object> items);
  static Object dict(std::vector<ObjectPair> entries);
  static Object ordered_dict(std::vector<ObjectPair> entries);  // collections.OrderedDict
  static Object global(std::string module, std::string name);
  static Object call(Object callee, Object arguments);
  static Object persistent(Object id);

  Kind kind() const { return kind_; }
  bool is_none() const { return kind_ == Kind::None; }
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;
  std::optional<double> real() const;
  const std::string* text() const;  // null unless Text
  const std::string& raw() const;   // of Text, Bytes and BigInt, else ""

  // Elements of a Tuple, List or Set, what was appended to a Call, the id of a Persistent.
  std::span<const Object> items() const;
  // Pairs of a Dict, or what was set on a Call (OrderedDict and other kinds of dictionary).
  std::span<const ObjectPair> entries() const;
  const Object* find(std::string_view key) const;  // among entries() with a text key

  bool is_global(std::string_view module, std::string_view name) const;
  bool is_call(std::string_view module, std::string_view name) const;
  bool is_mapping() const;          // Dict or OrderedDict
  std::string global_name() const;  // "module.name" of a Global or of a Call's callee, else ""
  Object callee() const;            // of a Call, else None
  std::span<const Object> arguments() const;

  bool operator==(const Object& other) const;

 private:
  friend class Unpickler;
  explicit Object(Kind kind, std::shared_ptr<ObjectNode> node)
      : kind_(kind), node_(std::move(node)) {}

  union Scalar {
    std::int64_t integer = 0;
    double real;
  };
  Kind kind_ = Kind::None;
  Scalar scalar_;
  std::shared_ptr<ObjectNode> node_;
};

// Protocols 2 to 5 without what is no data: the old text opcodes, extension codes and out-of-band
// buffers are refused by name. Depth is at most 200, memory in proportion to the input, and an
// object inside itself is an error.
struct PickleOptions {
  std::size_t* size = nullptr;  // receives the number of bytes read
  // Sees the id of every reference to something outside; what it gives stands in its place, None
  // for the reference itself.
  std::function<Object(const Object& id)> resolve = {};
};
Result<Object> parse_pickle(std::span<const std::byte> bytes, const std::string& file_name,
                            const PickleOptions& options = {});

// Protocol 2, with the opcodes that torch.load(weights_only=True) knows; shared objects are written
// once for each use.
std::string pickle(const Object& object);

}  // namespace mase::io
