// Names of nodes by the rules of torch.fx (its class _Namespace).
#include "mase/ir/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace mase::ir {
namespace {

// Sorted (a test holds that). Exceptions and other built-ins with capitals are left out: names are
// in snake case.
constexpr std::array<std::string_view, 117> kReserved = {
    "False",       "None",       "NoneType",     "True",      "abs",       "aiter",
    "all",         "and",        "anext",        "any",       "as",        "ascii",
    "assert",      "async",      "await",        "bin",       "bool",      "break",
    "breakpoint",  "bytearray",  "bytes",        "callable",  "chr",       "class",
    "classmethod", "compile",    "complex",      "continue",  "copyright", "credits",
    "def",         "del",        "delattr",      "device",    "dict",      "dir",
    "divmod",      "elif",       "else",         "enumerate", "eval",      "except",
    "exec",        "exit",       "filter",       "finally",   "float",     "for",
    "format",      "from",       "frozenset",    "fx_pytree", "getattr",   "global",
    "globals",     "hasattr",    "hash",         "help",      "hex",       "id",
    "if",          "import",     "in",           "inf",       "input",     "int",
    "is",          "isinstance", "issubclass",   "iter",      "lambda",    "len",
    "license",     "list",       "locals",       "map",       "max",       "memoryview",
    "min",         "nan",        "next",         "nonlocal",  "not",       "object",
    "oct",         "open",       "or",           "ord",       "pass",      "pow",
    "print",       "property",   "pytree",       "quit",      "raise",     "range",
    "repr",        "return",     "reversed",     "round",     "set",       "setattr",
    "slice",       "sorted",     "staticmethod", "str",       "sum",       "super",
    "torch",       "try",        "tuple",        "type",      "vars",      "while",
    "with",        "yield",      "zip"};

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

std::string cleaned(std::string_view wanted) {
  std::string out;
  bool in_run = false;
  for (char c : wanted) {
    if (is_name_char(c)) {
      out += c;
    } else if (!in_run) {
      out += '_';
    }
    in_run = !is_name_char(c);
  }
  if (out.empty()) out = "_unnamed";
  if (std::isdigit(static_cast<unsigned char>(out[0]))) out.insert(0, "_");
  return out;
}

// "add_1" counts as the first of "add".
struct Numbered {
  std::string base;
  int number = -1;  // -1: none
};

Numbered split(const std::string& name) {
  const std::size_t bar = name.rfind('_');
  if (bar == std::string::npos) return {name, -1};
  int number = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + bar + 1, end, number);
  // Longer numbers than these are part of the name.
  if (error != std::errc() || stop != end || name.size() - bar > 9 || number < 0) return {name, -1};
  return {name.substr(0, bar), number};
}

}  // namespace

bool is_reserved_name(std::string_view name) {
  return std::binary_search(kReserved.begin(), kReserved.end(), name);
}

std::string default_name(const Node& node) {
  std::string_view target = node.target;
  if (node.kind == NodeKind::CallFunction) {
    const std::size_t dot = target.rfind('.');
    if (dot != std::string_view::npos) target.remove_prefix(dot + 1);
  }
  if (target.size() > 4 && target.starts_with("__") && target.ends_with("__")) {
    target = target.substr(2, target.size() - 4);
  }
  std::string out;
  bool after_lower = false;
  for (unsigned char c : target) {
    if (std::isupper(c) && after_lower) out += '_';
    out += static_cast<char>(std::tolower(c));
    after_lower = std::islower(c) != 0;
  }
  return out;
}

std::string Graph::unique_name(std::string_view wanted) const {
  auto [base, number] = split(cleaned(wanted));
  std::string candidate = number < 0 ? base : fmt::format("{}_{}", base, number);
  if (number <= 0) {
    // Goes on from the last name with this base.
    number = 0;
    for (const Node& node : nodes_) {
      const Numbered other = split(node.name);
      if (other.base == base) number = std::max(other.number, 0);
    }
  }
  while (is_reserved_name(candidate) || find_node(candidate)) {
    candidate = fmt::format("{}_{}", base, ++number);
  }
  return candidate;
}

}  // namespace mase::ir
