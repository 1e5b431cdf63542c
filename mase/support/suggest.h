#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mase {

// The candidates nearest to a misspelt name, best first: equal when case and -/_ are ignored,
// then by edit distance (at most a third of the length), then those it is a prefix of. Candidates
// of more than 256 bytes are passed over.
std::vector<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates,
                                 std::size_t at_most = 3);

// "did you mean 'linear'?", "did you mean 'relu' or 'relu6'?", or "" when nothing is near.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace mase
