#pragma once

#include <filesystem>

namespace mase {

// The folder that this library was loaded from; empty if the system does not say.
std::filesystem::path library_folder();

// Where the files that come with the program lie (configs/, data/): the share folder of an
// installation that the library is part of, otherwise the source tree it was built from.
std::filesystem::path share_folder();

// A file that a user named, as far as it exists from the working directory; otherwise the one of
// that name below the share folder ("configs/models/jsc-10x.toml"), or if there is none either the
// path as it was given.
std::filesystem::path find_shared(const std::filesystem::path& path);

}  // namespace mase
