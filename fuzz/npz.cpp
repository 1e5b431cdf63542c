// npz archives, and with them the zip reader: each member is asked for.
#include "mase/io/arrays/npz.h"

#include "fuzz/harness.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  const auto zip = io::ZipReader::parse({bytes, nullptr}, "input");
  if (!zip) return;
  std::size_t total = 0;
  for (const auto& entry : zip->entries()) {
    if (const auto member = zip->read(entry)) total += member->bytes.size();
    const auto start = zip->start(entry, io::kNpyHeaderBytes);
    if (start) (void)io::npy_columns(start->bytes, entry.size, "input").ok();
  }
  fuzz::require(total <= bytes.size() * 1032, "members in proportion");
  const auto npz = io::NpzReader::parse({bytes, nullptr}, "input");
  fuzz::require(npz.ok(), "an archive is an archive");
  for (const std::string& name : npz->names()) {
    (void)npz->read(name).ok();
    (void)npz->read_columns(name).ok();
  }
}
