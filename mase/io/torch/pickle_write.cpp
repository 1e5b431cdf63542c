// Pickle protocol 2, without a memo: what is shared in the tree is written once for each use.
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "mase/io/bytes.h"
#include "mase/io/torch/pickle.h"
#include "mase/support/error.h"

namespace mase::io {
namespace {

class Pickler {
 public:
  std::string whole(const Object& object) {
    out_ = "\x80\x02";
    write(object);
    out_ += '.';
    return std::move(out_);
  }

 private:
  void write(const Object& object) {
    using Kind = Object::Kind;
    switch (object.kind()) {
      case Kind::None:
        out_ += 'N';
        return;
      case Kind::Bool:
        out_ += *object.boolean() ? '\x88' : '\x89';
        return;
      case Kind::Int:
        return integer(*object.integer());
      case Kind::Float:
        return real(*object.real());
      case Kind::Text:
        return text(*object.text());
      case Kind::Tuple:
        return tuple(object);
      case Kind::List:
        out_ += ']';
        return appended(object);
      case Kind::Dict:
        out_ += '}';
        return entries(object);
      case Kind::Global:
        return global(object);
      case Kind::Call:
        return call(object);
      case Kind::Persistent:
        write(object.items()[0]);
        out_ += 'Q';
        return;
      case Kind::BigInt:
      case Kind::Bytes:
      case Kind::Set:
        break;
    }
    internal_error("a kind of object that is never written to a pickle");
  }

  void integer(std::int64_t value) {
    if (value >= 0 && value <= 0xff) {
      out_ += 'K';
      put(out_, static_cast<std::uint8_t>(value));
    } else if (value >= 0 && value <= 0xffff) {
      out_ += 'M';
      put(out_, static_cast<std::uint16_t>(value));
    } else if (value == static_cast<std::int32_t>(value)) {
      out_ += 'J';
      put(out_, static_cast<std::int32_t>(value));
    } else {
      out_ += "\x8a\x08";
      put(out_, value);
    }
  }
  void real(double value) {
    out_ += 'G';
    char raw[8];
    std::memcpy(raw, &value, sizeof value);
    std::reverse(raw, raw + sizeof raw);
    out_.append(raw, sizeof raw);
  }
  void text(const std::string& bytes) {
    const std::string value = as_utf8(bytes);
    if (value.size() > std::numeric_limits<std::uint32_t>::max()) {
      internal_error("a text is too long for a pickle");
    }
    out_ += 'X';
    put(out_, static_cast<std::uint32_t>(value.size()));
    out_ += value;
  }
  void tuple(const Object& object) {
    const auto items = object.items();
    if (items.empty()) {
      out_ += ')';
      return;
    }
    if (items.size() > 3) out_ += '(';
    for (const Object& item : items) write(item);
    out_ += items.size() > 3 ? 't' : "\x85\x86\x87"[items.size() - 1];
  }
  void appended(const Object& object) {
    if (object.items().empty()) return;
    out_ += '(';
    for (const Object& item : object.items()) write(item);
    out_ += 'e';
  }
  void entries(const Object& object) {
    if (object.entries().empty()) return;
    out_ += '(';
    for (const auto& [key, value] : object.entries()) {
      write(key);
      write(value);
    }
    out_ += 'u';
  }
  void global(const Object& object) {
    const std::string name = object.global_name();
    const std::size_t dot = name.rfind('.');
    out_ += 'c' + name.substr(0, dot) + '\n' + name.substr(dot + 1) + '\n';
  }
  void call(const Object& object) {
    write(object.callee());
    if (object.arguments().empty()) {
      out_ += ')';
    } else {
      out_ += '(';
      for (const Object& argument : object.arguments()) write(argument);
      out_ += 't';
    }
    out_ += 'R';
    appended(object);
    entries(object);
  }

  std::string out_;
};

}  // namespace

std::string pickle(const Object& object) {
  return Pickler().whole(object);
}

}  // namespace mase::io
