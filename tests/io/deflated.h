#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "mase/io/zip.h"

namespace mase::tests {

// An archive with one deflated member, made by hand: our writer only stores.
inline std::string deflated_archive(std::string_view content, std::uint32_t claimed_size,
                                    const std::string& name = "x") {
  std::string packed(compressBound(content.size()) + 16, '\0');
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  io::ZipWriter zip({.alignment = 1});
  zip.add(name, packed);
  std::string out = zip.to_string();
  const auto patch = [&](std::size_t at, auto value) {
    std::memcpy(&out[at], &value, sizeof value);
  };
  const std::size_t central = out.find("PK\x01\x02");
  patch(central + 10, std::uint16_t{8});
  patch(central + 16,
        static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                                         static_cast<uInt>(content.size()))));
  patch(central + 24, claimed_size);
  return out;
}

}  // namespace mase::tests
