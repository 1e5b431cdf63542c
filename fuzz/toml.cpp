// TOML files: what is read can be written and read again, equal.
#include "mase/io/text/toml.h"

#include "fuzz/harness.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  const auto got = io::parse_toml(fuzz::text_of(bytes), "input");
  if (!got) return;
  const ir::Value value = got->to_value();
  const std::string written = io::write_toml(value.as_dict());
  const auto again = io::parse_toml(written, "written");
  fuzz::require(again.ok(), "what is written can be read");
  fuzz::require(io::write_toml(again->to_value().as_dict()) == written, "written twice alike");
}
