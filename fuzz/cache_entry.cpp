// Entries of the cache: the header is the input's beginning, what follows fills the arrays.
// Checksums would stop nearly every changed input, so an odd last byte has them made right. Rows
// that lie in the memory they were given, and go into an entry again as they were; or nothing.
#include "mase/data/cache_entry.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "fuzz/harness.h"

namespace {

using namespace mase;

constexpr std::uint64_t kMostBytes = 1 << 20;

std::shared_ptr<std::byte> arrays_from(std::span<const std::byte> bytes, std::uint64_t size) {
  std::shared_ptr<std::byte> out(
      static_cast<std::byte*>(std::aligned_alloc(data::kEntryPage, std::size_t{size})), std::free);
  std::fill_n(out.get(), size, std::byte{0});
  std::copy_n(bytes.begin(), std::min<std::size_t>(bytes.size(), size), out.get());
  return out;
}

void seal(data::EntryHeader& header, const data::EntryPlaces& places, const std::byte* arrays) {
  for (std::size_t i = 0; i < places.first.size(); ++i) {
    header.arrays[i] = data::checksum(
        {arrays + (places.first[i] - data::kEntryPage), static_cast<std::size_t>(places.bytes[i])});
  }
  header.own = data::checksum_of(header);
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  data::EntryHeader header;
  if (bytes.size() < sizeof header) return;
  std::memcpy(&header, bytes.data(), sizeof header);
  const bool sealed = std::to_integer<int>(bytes.back()) % 2 == 1;
  const std::string hash(header.source_hash.begin(), header.source_hash.end());
  if (sealed) header.own = data::checksum_of(header);
  const auto places = data::places_of(header, hash);
  if (!places) return;
  fuzz::require(places->end % data::kEntryPage == 0, "whole pages");
  if (places->end > kMostBytes) return;  // no file of this size is there
  const std::uint64_t size = places->end - data::kEntryPage;
  const auto arrays = arrays_from(bytes.subspan(sizeof header), size);
  if (sealed) seal(header, *places, arrays.get());
  const auto rows = data::rows_of(header, *places, arrays);
  if (!rows) return fuzz::require(!sealed, "an entry with its checksums is one");
  for (const auto array : data::arrays_of(*rows)) {
    fuzz::require(
        array.data() >= arrays.get() && array.data() + array.size() <= arrays.get() + size,
        "rows in the memory of the entry");
  }
  const data::EntryHeader again = data::header_of(*rows, hash);
  fuzz::require(std::memcmp(&again, &header, sizeof again) == 0, "read, written, read");
}
