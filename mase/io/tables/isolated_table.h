#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "mase/io/tables/table.h"

namespace mase::io {

using TableOpener = std::function<Result<std::unique_ptr<Table>>()>;

// A table whose reader may not be trusted with damaged files, because it is a foreign library:
// `open` and the table it gives run in child processes, from which the rows come through a pipe. A
// crash, a standstill of a minute or a need of more than 4 GiB of memory is a ReadError here. The
// child is a fork of this process with the calling thread alone, so `open` may not wait for other
// threads.
Result<std::unique_ptr<Table>> open_isolated(const std::filesystem::path& path, TableOpener open);

}  // namespace mase::io
