// Nearest names by optimal string alignment distance (Levenshtein with swaps of neighbours).
#include "mase/support/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

namespace mase {
namespace {

constexpr std::size_t kLongestName = 256;

std::string folded(std::string_view name) {
  std::string out;
  for (char c : name) {
    out += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

// By rows of the table of distances between beginnings: the current one and the two before it.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  std::vector<std::size_t> before = row;
  std::vector<std::size_t> two_before = row;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(two_before, before);
    std::swap(before, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates,
                                 std::size_t at_most) {
  const std::string wanted = folded(name.substr(0, kLongestName));
  const std::size_t most = std::max<std::size_t>(1, wanted.size() / 3);
  std::vector<std::pair<std::size_t, std::string>> scored;
  for (const std::string& candidate : candidates) {
    // Whoever could have meant a name can read it in a line; those of foreign files may be long.
    if (candidate.size() > kLongestName) continue;
    const std::string other = folded(candidate);
    const std::size_t apart =
        wanted.size() < other.size() ? other.size() - wanted.size() : wanted.size() - other.size();
    if (apart > most && !other.starts_with(wanted)) continue;
    const std::size_t d = distance(wanted, other);
    const bool close = d <= most;
    const bool prefix = wanted.size() >= 2 && other.starts_with(wanted);
    if (close || prefix) scored.emplace_back(close ? d : 100 + d, candidate);
  }
  std::stable_sort(scored.begin(), scored.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> out;
  for (const auto& [score, candidate] : scored) {
    if (out.size() < at_most) out.push_back(candidate);
  }
  return out;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::vector<std::string> near = nearest(name, candidates);
  if (near.empty()) return "";
  std::string text = "did you mean ";
  for (std::size_t i = 0; i < near.size(); ++i) {
    if (i > 0) text += i + 1 == near.size() ? " or " : ", ";
    text += fmt::format("'{}'", near[i]);
  }
  return text + "?";
}

}  // namespace mase
