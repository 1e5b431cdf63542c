#pragma once

#include <string>
#include <string_view>

namespace mase {

// Text as it stands in XML and HTML, attributes included.
std::string markup_text(std::string_view text);

}  // namespace mase
