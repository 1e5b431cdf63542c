#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "mase/data/prepare.h"

// What an entry of the cache (cache.h) holds: a header of one page, then four arrays, each on a
// page boundary, as they lie in memory: features and labels of the training rows, then of the test
// rows.
namespace mase::data {

inline constexpr std::size_t kEntryPage = 4096;

struct EntryHeader {
  std::array<char, 8> magic = {'M', 'A', 'S', 'E', 'r', 'o', 'w', 's'};
  std::uint32_t layout = 1;
  std::uint32_t preparation = kPreparationVersion;
  std::array<char, 64> source_hash = {};
  std::int64_t features = 0;
  std::int64_t train_rows = 0;
  std::int64_t test_rows = 0;
  std::int64_t rows_read = 0;
  std::int64_t duplicates = 0;
  std::array<std::uint64_t, 4> arrays = {};  // checksum of each
  std::uint64_t own = 0;                     // checksum of the fields above
};

// Where the arrays lie in the file, in bytes.
struct EntryPlaces {
  std::array<std::uint64_t, 4> first = {};
  std::array<std::uint64_t, 4> bytes = {};
  std::uint64_t end = kEntryPage;
};

std::uint64_t checksum(std::span<const std::byte> bytes);
std::uint64_t checksum_of(const EntryHeader& header);

std::array<std::span<const std::byte>, 4> arrays_of(const Prepared& rows);
EntryHeader header_of(const Prepared& rows, std::string_view source_hash);

// Nothing if this is no header of an entry for this source, or one whose sizes no entry has.
std::optional<EntryPlaces> places_of(const EntryHeader& header, std::string_view source_hash);

// The rows of an entry whose arrays are all there: `arrays` are the bytes behind the header, up to
// `places.end`, aligned as a page is and kept by the result. Nothing if they are not what the
// header says.
std::optional<Prepared> rows_of(const EntryHeader& header, const EntryPlaces& places,
                                const std::shared_ptr<std::byte>& arrays);

}  // namespace mase::data
