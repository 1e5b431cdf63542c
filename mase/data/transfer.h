#pragma once

#include <string>
#include <string_view>

#include "mase/data/download.h"
#include "mase/data/part_file.h"

namespace mase::data {

enum class Fetched {
  Whole,         // all of the file is there
  PerhapsWhole,  // the server did not say how long it is, and closed the connection
  OtherVersion,  // the server's file is another one than the part belongs to: start over
};

// One request for `url` and its answer: what is missing of the part, if it has a validator, else
// the whole file. `name` is that of the file in messages. Throws as download_file.
Fetched transfer(const std::string& url, PartFile& part, std::string_view name,
                 const DownloadLimits& limits, const DownloadCallbacks& callbacks);

}  // namespace mase::data
