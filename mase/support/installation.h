#pragma once

#include <filesystem>

namespace mase {

// The folder that this library was loaded from; empty if the system does not say.
std::filesystem::path library_folder();

// Where the files that come with the program lie (configs/, data/): the share folder of an
// installation that the library is part of, otherwise the source tree it was built from.
std::filesystem::path share_folder();

}  // namespace mase
