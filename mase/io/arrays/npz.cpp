// A zip archive of npy files.
#include "mase/io/arrays/npz.h"

#include <fmt/format.h>

#include <utility>

namespace mase::io {
namespace {

constexpr std::string_view kSuffix = ".npy";

}  // namespace

Result<Bytes> npy_member_start(const ZipReader& zip, const ZipEntry& entry) {
  const auto first = zip.start(entry, kNpyLengthBytes);
  if (!first) return first.error();
  return zip.start(entry, npy_header_bytes(first->bytes));
}

Result<Bytes> npy_member(const ZipReader& zip, const ZipEntry& entry) {
  const auto start = npy_member_start(zip, entry);
  if (!start) return start.error();
  const std::string name = fmt::format("{}[{}]", zip.file_name(), entry.name);
  const auto announced = npy_announced_bytes(start->bytes, entry.size, name);
  if (!announced) return announced.error();
  if (!*announced) return start;  // says why it is not read, which is all there is to know
  if (entry.size > **announced) {
    return ReadError{fmt::format("npy: {} bytes lie behind the array that its header announces",
                                 entry.size - **announced),
                     {.file = name}};
  }
  return zip.read(entry);
}

Result<NpzReader> NpzReader::open(const std::filesystem::path& path) {
  auto zip = ZipReader::open(path);
  if (!zip) return zip.error();
  return NpzReader(*std::move(zip));
}

Result<NpzReader> NpzReader::parse(Bytes archive, std::string file_name) {
  auto zip = ZipReader::parse(std::move(archive), std::move(file_name));
  if (!zip) return zip.error();
  return NpzReader(*std::move(zip));
}

std::vector<std::string> NpzReader::names() const {
  std::vector<std::string> out;
  for (const ZipEntry& entry : zip_.entries()) {
    if (!entry.name.ends_with(kSuffix)) continue;
    out.push_back(entry.name.substr(0, entry.name.size() - kSuffix.size()));
  }
  return out;
}

bool NpzReader::contains(std::string_view name) const {
  return zip_.find(fmt::format("{}{}", name, kSuffix)) != nullptr;
}

Result<Bytes> NpzReader::member(std::string_view name) const {
  const ZipEntry* entry = zip_.find(fmt::format("{}{}", name, kSuffix));
  if (!entry) {
    return ReadError{fmt::format("no array '{}' in the archive", name), {.file = zip_.file_name()}};
  }
  return npy_member(zip_, *entry);
}

Result<ir::Tensor> NpzReader::read(std::string_view name) const {
  const auto bytes = member(name);
  if (!bytes) return bytes.error();
  return parse_npy(bytes->bytes, fmt::format("{}[{}]", zip_.file_name(), name));
}

Result<ir::State> NpzReader::read_columns(std::string_view name) const {
  const auto bytes = member(name);
  if (!bytes) return bytes.error();
  return parse_npy_columns(bytes->bytes, fmt::format("{}[{}]", zip_.file_name(), name));
}

Result<ir::State> read_npz(const std::filesystem::path& path) {
  const auto archive = NpzReader::open(path);
  if (!archive) return archive.error();
  ir::State out;
  for (const std::string& name : archive->names()) {
    auto array = archive->read(name);
    if (!array) return array.error();
    out.emplace_back(name, *std::move(array));
  }
  return out;
}

void write_npz(const std::filesystem::path& path, const ir::State& arrays) {
  ZipWriter zip;
  for (const auto& [name, tensor] : arrays) {
    zip.add(fmt::format("{}{}", name, kSuffix), npy_bytes(tensor));
  }
  zip.write(path);
}

}  // namespace mase::io
