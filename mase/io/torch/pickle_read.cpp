// A pickle machine that only builds data: a stack, marks, a memo. Nodes are kept in a list until
// the end, so that cyclic or very deep structures can be taken apart without recursion.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "mase/io/bytes.h"
#include "mase/io/torch/pickle.h"
#include "mase/io/torch/pickle_node.h"
#include "mase/io/torch/pickle_opcodes.h"

namespace mase::io {
namespace {

constexpr int kMaxDepth = 200;
constexpr int kUnknown = -1;
constexpr int kVisiting = -2;
// Memory a pickle may use: honest ones need about ten times their size.
constexpr std::uint64_t kMemoryFactor = 128;
constexpr std::uint64_t kMemoryFloor = std::uint64_t{1} << 20;
constexpr std::uint64_t kNodeCost = sizeof(ObjectNode) + 64;
constexpr std::uint64_t kMemoCost = 96;

template <typename T>
T big_endian(std::span<const std::byte> raw) {
  std::byte reversed[sizeof(T)];
  std::reverse_copy(raw.begin(), raw.end(), reversed);
  T value;
  std::memcpy(&value, reversed, sizeof value);
  return value;
}

}  // namespace

class Unpickler {
 public:
  Unpickler(std::span<const std::byte> bytes, const PickleOptions& options)
      : cursor_(bytes), options_(options), budget_(bytes.size() * kMemoryFactor + kMemoryFloor) {}
  Unpickler(const Unpickler&) = delete;
  Unpickler& operator=(const Unpickler&) = delete;

  // What the result does not reach is taken apart node by node: no recursion, no cycle left.
  ~Unpickler() {
    for (const auto& node : nodes_) {
      if (node->height >= 0) continue;
      node->items.clear();
      node->entries.clear();
      node->call.clear();
    }
  }

  // Empty on success.
  std::string run() {
    while (!stopped_) {
      at_ = cursor_.position();
      const auto code = cursor_.number<std::uint8_t>();
      if (!code) return "ends without STOP";
      opcode_ = *code;
      if (!step() && error_.empty()) error_ = "is cut off or misuses its stack";
      if (!error_.empty()) return located();
    }
    if (!check(root_, 0)) {
      forget_heights();
      return error_;
    }
    return {};
  }

  const Object& root() const { return root_; }
  std::size_t position() const { return cursor_.position(); }

 private:
  std::string located() const {
    const std::string_view name = opcode_name(opcode_);
    return fmt::format("opcode {} (0x{:02x}) at byte {} {}", name.empty() ? "unknown" : name,
                       opcode_, at_, error_);
  }
  bool fail(std::string why) {
    error_ = std::move(why);
    return false;
  }
  bool charge(std::uint64_t bytes) {
    if (bytes > budget_) return fail("unfolds to far more than the file holds");
    budget_ -= bytes;
    return true;
  }

  // --- the stack ---
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  bool has(std::size_t count) const { return stack_.size() - floor() >= count; }
  Object pop() {
    Object out = std::move(stack_.back());
    stack_.pop_back();
    return out;
  }
  bool push(Object object) {
    if (!charge(sizeof(Object))) return false;
    stack_.push_back(std::move(object));
    return true;
  }
  bool push_node(Object object) {
    if (!charge(kNodeCost)) return false;
    nodes_.push_back(object.node_);
    return push(std::move(object));
  }
  // Everything above the last mark, which goes too.
  std::optional<std::vector<Object>> pop_mark() {
    if (marks_.empty()) return std::nullopt;
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Object> out(std::make_move_iterator(first), std::make_move_iterator(stack_.end()));
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return out;
  }
  bool push_tuple(std::size_t count) {
    if (!has(count) || !charge(count * sizeof(Object))) return false;
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Object> items(std::make_move_iterator(first),
                              std::make_move_iterator(stack_.end()));
    stack_.erase(first, stack_.end());
    return push_node(Object::tuple(std::move(items)));
  }

  // --- literals ---
  template <typename Length>
  std::optional<std::string> counted() {
    const auto length = cursor_.number<Length>();
    const auto raw = length ? cursor_.take(*length) : std::nullopt;
    if (!raw || !charge(raw->size())) return std::nullopt;
    return std::string(text_of(*raw));
  }
  template <typename Length>
  bool push_text() {
    auto text = counted<Length>();
    if (!text) return false;
    if (!is_utf8(*text)) return fail("holds a text that is not UTF-8");
    return push_node(Object(*std::move(text)));
  }
  template <typename Length>
  bool push_bytes() {
    auto raw = counted<Length>();
    return raw && push_node(Object::bytes(*std::move(raw)));
  }
  // Texts as Python 2 wrote them have no declared encoding.
  template <typename Length>
  bool push_string() {
    auto raw = counted<Length>();
    if (!raw) return false;
    if (is_utf8(*raw)) return push_node(Object(*std::move(raw)));
    return push_node(Object::bytes(*std::move(raw)));
  }
  template <typename Length>
  bool push_long() {
    auto raw = counted<Length>();
    if (!raw) return false;
    if (raw->size() > 8) return push_node(Object::big_int(*std::move(raw)));
    const bool negative = !raw->empty() && (raw->back() & 0x80) != 0;
    raw->resize(8, negative ? '\xff' : '\0');
    std::int64_t value = 0;
    std::memcpy(&value, raw->data(), sizeof value);
    return push(Object(value));
  }
  template <typename T>
  bool push_int() {
    const auto value = cursor_.number<T>();
    return value && push(Object(static_cast<std::int64_t>(*value)));
  }
  std::optional<std::string> line() {
    std::string out;
    for (;;) {
      const auto c = cursor_.number<char>();
      if (!c) return std::nullopt;
      if (*c == '\n') break;
      out += *c;
    }
    if (!charge(out.size()) || !is_utf8(out)) return std::nullopt;
    return out;
  }
  bool push_global() {
    auto module = line();
    auto name = line();
    return module && name && push_node(Object::global(*std::move(module), *std::move(name)));
  }
  bool push_stack_global() {
    if (!has(2)) return false;
    const Object name = pop();
    const Object module = pop();
    if (!name.text() || !module.text()) return false;
    if (!charge(name.text()->size() + module.text()->size())) return false;
    return push_node(Object::global(*module.text(), *name.text()));
  }

  // --- calls and containers ---
  bool push_call(bool with_keywords) {
    if (!has(with_keywords ? 3 : 2)) return false;
    const Object keywords = with_keywords ? pop() : Object();
    Object arguments = pop();
    Object callee = pop();
    if (arguments.kind() != Object::Kind::Tuple) return false;
    Object out = Object::call(std::move(callee), std::move(arguments));
    if (with_keywords) out.node_->call.push_back(keywords);
    return push_node(std::move(out));
  }
  bool build() {
    if (!has(2)) return false;
    Object state = pop();
    if (stack_.back().kind() != Object::Kind::Call) return fail("sets the state of no instance");
    if (!charge(sizeof(Object))) return false;
    stack_.back().node_->call.push_back(std::move(state));
    return true;
  }
  bool append(std::vector<Object> items) {
    if (!has(1) || !charge(2 * items.size() * sizeof(Object))) return false;
    const Object& target = stack_.back();
    if (target.kind() != Object::Kind::List && target.kind() != Object::Kind::Call &&
        target.kind() != Object::Kind::Set) {
      return fail("appends to what is no list");
    }
    auto& to = target.node_->items;
    to.insert(to.end(), std::make_move_iterator(items.begin()),
              std::make_move_iterator(items.end()));
    return true;
  }
  bool set_items(std::vector<Object> items) {
    if (!has(1) || items.size() % 2 != 0 || !charge(2 * items.size() * sizeof(Object)))
      return false;
    const Object& target = stack_.back();
    if (target.kind() != Object::Kind::Dict && target.kind() != Object::Kind::Call) {
      return fail("sets an item of what is no dictionary");
    }
    auto& to = target.node_->entries;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      to.emplace_back(std::move(items[i]), std::move(items[i + 1]));
    }
    return true;
  }

  // --- the memo ---
  bool memoize(std::uint64_t key) {
    if (!has(1) || !charge(kMemoCost)) return false;
    memo_[key] = stack_.back();
    return true;
  }
  template <typename T>
  bool put_memo() {
    const auto key = cursor_.number<T>();
    return key && memoize(*key);
  }
  template <typename T>
  bool get_memo() {
    const auto key = cursor_.number<T>();
    const auto found = key ? memo_.find(*key) : memo_.end();
    if (found == memo_.end()) return fail("asks for what was never stored");
    return push(found->second);
  }

  bool step() {
    switch (opcode_) {
      case 0x80: {  // PROTO
        const auto version = cursor_.number<std::uint8_t>();
        if (version && *version > 5) return fail(fmt::format("names protocol {}", *version));
        return version.has_value();
      }
      case 0x95: {  // FRAME: only a hint to read ahead
        const auto length = cursor_.number<std::uint64_t>();
        return length && *length <= cursor_.left();
      }
      case '.':
        if (stack_.empty() || !marks_.empty()) return false;
        root_ = pop();
        stopped_ = true;
        return true;
      case '(':
        marks_.push_back(stack_.size());
        return charge(2 * sizeof(std::size_t));
      case '0':
        if (has(1)) {
          stack_.pop_back();
          return true;
        }
        [[fallthrough]];  // on an empty frame it drops the mark
      case '1':
        return pop_mark().has_value();
      case '2':
        return has(1) && push(Object(stack_.back()));

      case 'N':
        return push(Object());
      case 0x88:
        return push(Object(true));
      case 0x89:
        return push(Object(false));
      case 'J':
        return push_int<std::int32_t>();
      case 'K':
        return push_int<std::uint8_t>();
      case 'M':
        return push_int<std::uint16_t>();
      case 0x8a:
        return push_long<std::uint8_t>();
      case 0x8b:
        return push_long<std::uint32_t>();
      case 'G': {
        const auto raw = cursor_.take(8);
        return raw && push(Object(big_endian<double>(*raw)));
      }
      case 'X':
        return push_text<std::uint32_t>();
      case 0x8c:
        return push_text<std::uint8_t>();
      case 0x8d:
        return push_text<std::uint64_t>();
      case 'T':
        return push_string<std::uint32_t>();
      case 'U':
        return push_string<std::uint8_t>();
      case 'B':
        return push_bytes<std::uint32_t>();
      case 'C':
        return push_bytes<std::uint8_t>();
      case 0x8e:
      case 0x96:
        return push_bytes<std::uint64_t>();

      case ')':
        return push_node(Object::tuple({}));
      case 0x85:
        return push_tuple(1);
      case 0x86:
        return push_tuple(2);
      case 0x87:
        return push_tuple(3);
      case 't':
        return push_tuple(stack_.size() - floor()) && drop_mark_below_top();
      case ']':
        return push_node(Object::list({}));
      case '}':
        return push_node(Object::dict({}));
      case 0x8f:
        return push_node(Object::set({}));
      case 0x91: {  // FROZENSET
        auto items = pop_mark();
        return items && charge(items->size() * sizeof(Object)) &&
               push_node(Object::set(*std::move(items)));
      }
      case 'a': {
        if (!has(2)) return false;
        Object item = pop();
        return append({std::move(item)});
      }
      case 'e':
      case 0x90: {  // ADDITEMS
        auto items = pop_mark();
        return items && append(*std::move(items));
      }
      case 's': {
        if (!has(3)) return false;
        Object value = pop();
        Object key = pop();
        return set_items({std::move(key), std::move(value)});
      }
      case 'u': {
        auto items = pop_mark();
        return items && set_items(*std::move(items));
      }

      case 'c':
        return push_global();
      case 0x93:
        return push_stack_global();
      case 'R':
      case 0x81:
        return push_call(false);  // REDUCE, NEWOBJ: kept, not called
      case 0x92:
        return push_call(true);
      case 'b':
        return build();
      case 'Q': {
        if (!has(1)) return false;
        Object id = pop();
        Object found = options_.resolve ? options_.resolve(id) : Object();
        return found.is_none() ? push_node(Object::persistent(std::move(id)))
                               : push(std::move(found));
      }

      case 'q':
        return put_memo<std::uint8_t>();
      case 'r':
        return put_memo<std::uint32_t>();
      case 0x94:
        return memoize(memo_.size());
      case 'h':
        return get_memo<std::uint8_t>();
      case 'j':
        return get_memo<std::uint32_t>();
      default:
        return fail("is not data");
    }
  }
  // TUPLE made its tuple above the mark that opened it.
  bool drop_mark_below_top() {
    if (marks_.empty()) return false;
    marks_.pop_back();
    return true;
  }

  // Heights of everything reachable; false if too deep or inside itself.
  bool check(const Object& object, int level) {
    ObjectNode* node = object.node_.get();
    if (!node) return true;
    if (node->height == kVisiting) return fail("pickle: an object is inside itself");
    if (level + std::max(node->height, 0) > kMaxDepth) return fail("pickle: nested too deep");
    if (node->height != kUnknown) return true;
    node->height = kVisiting;
    int below = 0;
    const auto visit = [&](const Object& child) {
      if (!check(child, level + 1)) return false;
      if (child.node_) below = std::max(below, child.node_->height + 1);
      return true;
    };
    for (const Object& child : node->items) {
      if (!visit(child)) return false;
    }
    for (const auto& [key, value] : node->entries) {
      if (!visit(key) || !visit(value)) return false;
    }
    for (const Object& child : node->call) {
      if (!visit(child)) return false;
    }
    node->height = below;
    return true;
  }
  void forget_heights() {
    for (const auto& node : nodes_) node->height = kUnknown;
  }

  Cursor cursor_;
  const PickleOptions& options_;
  std::uint64_t budget_;
  std::size_t at_ = 0;
  std::uint8_t opcode_ = 0;
  bool stopped_ = false;
  std::string error_;
  std::vector<std::shared_ptr<ObjectNode>> nodes_;
  std::vector<Object> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Object> memo_;
  Object root_;
};

Result<Object> parse_pickle(std::span<const std::byte> bytes, const std::string& file_name,
                            const PickleOptions& options) {
  Unpickler machine(bytes, options);
  if (std::string problem = machine.run(); !problem.empty()) {
    return ReadError{"pickle: " + problem, {.file = file_name}};
  }
  if (options.size) *options.size = machine.position();
  return machine.root();
}

}  // namespace mase::io
