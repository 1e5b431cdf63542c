#pragma once

#include <vector>

#include "mase/passes/pass.h"

namespace mase::passes {

// What does not hold of the common metadata; empty = fine. Of every node: type and op are those of
// the graph; entries of arguments are there, with the shapes that the producers record and the
// formats that the node has; the result is what the op's rule makes of them. Formats: float of 16,
// 32 or 64 bits; others as their table says, integer ones with 0 <= fraction <= width. A result in
// integers is wide enough for the sums of a linear layer, and has its input's format elsewhere.
std::vector<Problem> verify_common_metadata(const ir::Graph& graph);

// What does not hold of the software metadata: tables that are missing or of no argument,
// statistics that do not exist, that counted nothing, or whose range is not maximum minus minimum.
std::vector<Problem> verify_software_metadata(const ir::Graph& graph);

// The passes throw Error{CheckFailed} that lists all problems; verify_metadata checks both kinds.
extern const Pass kVerifyCommonMetadata;
extern const Pass kVerifyMetadata;
extern const Pass kVerifySoftwareMetadata;

}  // namespace mase::passes
