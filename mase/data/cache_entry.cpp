// The parts of a cache entry. Nothing here touches files.
#include "mase/data/cache_entry.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace mase::data {
namespace {

std::span<const std::byte> bytes_of(const ir::Tensor& tensor) {
  return {tensor.data(), tensor.bytes()};
}

// Whether the sizes are possible at all, before anything is computed from them.
bool plausible(const EntryHeader& h) {
  constexpr std::int64_t kMost = std::int64_t{1} << 32;
  return h.features >= 1 && h.features <= 4096 && h.train_rows >= 1 && h.train_rows <= kMost &&
         h.test_rows >= 1 && h.test_rows <= kMost && h.rows_read >= 0 && h.duplicates >= 0;
}

}  // namespace

// Four independent lanes, so that checking costs less than reading memory does.
std::uint64_t checksum(std::span<const std::byte> bytes) {
  std::array<std::uint64_t, 4> lanes = {1, 2, 3, 4};
  std::array<std::uint64_t, 4> words = {};
  const auto mix = [&] {
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      lanes[i] = std::rotl((lanes[i] ^ words[i]) * 0x9e3779b97f4a7c15ull, 29);
    }
  };
  const std::size_t size = bytes.size();
  for (; bytes.size() >= sizeof words; bytes = bytes.subspan(sizeof words)) {
    std::memcpy(words.data(), bytes.data(), sizeof words);
    mix();
  }
  words = {};
  if (!bytes.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  mix();
  words = {size};
  mix();
  return lanes[0] ^ std::rotl(lanes[1], 17) ^ std::rotl(lanes[2], 31) ^ std::rotl(lanes[3], 47);
}

std::uint64_t checksum_of(const EntryHeader& header) {
  return checksum(std::as_bytes(std::span(&header, 1)).first(offsetof(EntryHeader, own)));
}

std::array<std::span<const std::byte>, 4> arrays_of(const Prepared& rows) {
  return {bytes_of(rows.train.features), bytes_of(rows.train.labels), bytes_of(rows.test.features),
          bytes_of(rows.test.labels)};
}

EntryHeader header_of(const Prepared& rows, std::string_view source_hash) {
  EntryHeader h{.features = rows.train.features.dim(1),
                .train_rows = rows.train.rows(),
                .test_rows = rows.test.rows(),
                .rows_read = rows.rows_read,
                .duplicates = rows.duplicates};
  std::copy_n(source_hash.begin(), std::min(source_hash.size(), h.source_hash.size()),
              h.source_hash.begin());
  const auto arrays = arrays_of(rows);
  for (std::size_t i = 0; i < arrays.size(); ++i) h.arrays[i] = checksum(arrays[i]);
  h.own = checksum_of(h);
  return h;
}

std::optional<EntryPlaces> places_of(const EntryHeader& h, std::string_view source_hash) {
  const EntryHeader expected;
  if (h.magic != expected.magic || h.layout != expected.layout ||
      h.preparation != expected.preparation ||
      std::string_view(h.source_hash.data(), h.source_hash.size()) != source_hash ||
      h.own != checksum_of(h) || !plausible(h)) {
    return std::nullopt;
  }
  EntryPlaces out;
  const auto features = static_cast<std::uint64_t>(h.features) * sizeof(float);
  const auto train = static_cast<std::uint64_t>(h.train_rows);
  const auto test = static_cast<std::uint64_t>(h.test_rows);
  out.bytes = {train * features, train * sizeof(std::int64_t), test * features,
               test * sizeof(std::int64_t)};
  for (std::size_t i = 0; i < out.first.size(); ++i) {
    out.first[i] = out.end;
    out.end += (out.bytes[i] + kEntryPage - 1) / kEntryPage * kEntryPage;
  }
  return out;
}

std::optional<Prepared> rows_of(const EntryHeader& h, const EntryPlaces& places,
                                const std::shared_ptr<std::byte>& arrays) {
  const auto array = [&](std::size_t i) {
    return std::span<const std::byte>(arrays.get() + (places.first[i] - kEntryPage),
                                      static_cast<std::size_t>(places.bytes[i]));
  };
  for (std::size_t i = 0; i < h.arrays.size(); ++i) {
    if (checksum(array(i)) != h.arrays[i]) return std::nullopt;
  }
  const auto split = [&](std::size_t i, std::int64_t rows) {
    return Split{ir::Tensor::view({rows, h.features}, ir::DType::Float32, array(i).data(), arrays),
                 ir::Tensor::view({rows}, ir::DType::Int64, array(i + 1).data(), arrays)};
  };
  return Prepared{.train = split(0, h.train_rows),
                  .test = split(2, h.test_rows),
                  .rows_read = h.rows_read,
                  .duplicates = h.duplicates};
}

}  // namespace mase::data
