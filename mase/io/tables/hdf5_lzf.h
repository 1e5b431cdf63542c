#pragma once

namespace mase::io {

// The number under which the LZF filter is known to the HDF5 library.
inline constexpr int kLzfFilter = 32000;

// Makes the HDF5 library read and write datasets compressed with LZF. Call before opening files;
// does nothing after the first call. False if the library refuses.
bool register_lzf_filter();

}  // namespace mase::io
