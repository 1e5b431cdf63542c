// Model files: layers as users write them. A mistake is an Error of kind Usage or Unreadable.
#include "mase/models/model_file.h"

#include "fuzz/harness.h"
#include "mase/support/error.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  try {
    (void)models::parse_model_file(fuzz::text_of(bytes), "input.toml");
  } catch (const Error& error) {
    fuzz::require(error.kind() == ErrorKind::Usage || error.kind() == ErrorKind::Unreadable ||
                      error.kind() == ErrorKind::Unsupported,
                  "a mistake in a model file is the user's");
  }
}
