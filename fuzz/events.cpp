// TensorBoard event files. Checksums would stop nearly every changed input, so the input is also
// taken as the payload of a whole record.
#include "fuzz/harness.h"
#include "mase/io/events/crc32c.h"
#include "mase/io/events/tensorboard.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  (void)io::parse_events(bytes, "input").ok();
  std::string length;
  io::put<std::uint64_t>(length, bytes.size());
  std::string record = length;
  io::put<std::uint32_t>(record, io::masked_crc32c(io::bytes_of(length)));
  record += fuzz::text_of(bytes);
  io::put<std::uint32_t>(record, io::masked_crc32c(bytes));
  const auto got = io::parse_events(io::bytes_of(record), "input");
  if (got) fuzz::require(got->scalars.size() <= bytes.size(), "scalars in proportion");
}
