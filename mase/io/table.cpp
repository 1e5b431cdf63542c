// What all table readers share.
#include "mase/io/table.h"

namespace mase::io {

Location Table::where(std::int64_t) const {
  return {.file = path_.string()};
}

ReadError Table::error(std::string message) const {
  return {std::move(message), {.file = path_.string()}};
}

}  // namespace mase::io
