// Tables of HDF5 files in pieces of a few megabytes. The library decodes each wanted member into
// the machine's own representation of its type; widening to double is done here.
#include "mase/io/tables/hdf5_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>

#include "mase/io/tables/hdf5_layout.h"

namespace mase::io {
namespace hdf5 {
namespace {

constexpr std::uint64_t kPieceBytes = std::uint64_t{4} << 20;

// What is read of one dataset for the wanted columns.
struct Part {
  Handle dataset;
  Handle memory_type;
  std::size_t element_bytes = 0;
  std::size_t row_bytes = 0;
  std::uint64_t width = 1;
  struct Value {
    Native kind = Native::None;
    std::size_t offset = 0;  // in the row, in memory
    std::size_t size = 0;    // bytes
    std::size_t place = 0;   // among the wanted columns
    std::size_t column = 0;
  };
  std::vector<Value> values;
  bool has_pointers = false;   // to texts, which the library allocates
  std::vector<std::byte> raw;  // of one piece
};

class Hdf5Table : public Table {
 public:
  Hdf5Table(const std::filesystem::path& path, File file, Layout layout)
      : Table(path), file_(std::move(file)), layout_(std::move(layout)) {
    rows_ = static_cast<std::int64_t>(layout_.rows);
    for (const Column& column : layout_.columns) columns_.push_back(column.name);
  }
  ~Hdf5Table() override {
    const std::scoped_lock lock(library_lock());
    const Silence silence;
    const File closed = std::move(file_);
  }

  Status read(std::span<const std::size_t> wanted, const RowSink& sink) override;

 private:
  Result<std::vector<Part>> parts(std::span<const std::size_t> wanted) const;
  Result<Part> open_part(std::size_t source, std::span<const std::size_t> wanted) const;
  // Calls `use` with the rows in the part's memory, before texts in it are freed.
  Status read_part(Part& part, std::int64_t first, std::int64_t count,
                   const std::function<Status()>& use) const;
  Status decode(std::size_t column, const Codes& codes, std::int64_t first,
                std::span<double> values, std::size_t step) const;
  Status convert(const Part& part, std::int64_t first, std::int64_t count, std::span<double> values,
                 std::size_t width) const;

  File file_;
  Layout layout_;
};

// A compound type of the wanted members, packed; `offsets` tells where each of them lies in it.
Handle packed_type(hid_t type, const std::vector<int>& members,
                   std::map<int, std::size_t>& offsets) {
  std::vector<Handle> natives;
  std::size_t bytes = 0;
  for (const int member : members) {
    const Handle own = type_handle(H5Tget_member_type(type, static_cast<unsigned>(member)));
    natives.push_back(type_handle(H5Tget_native_type(own.id(), H5T_DIR_ASCEND)));
    offsets[member] = bytes;
    bytes += H5Tget_size(natives.back().id());
  }
  Handle packed = type_handle(H5Tcreate(H5T_COMPOUND, bytes));
  for (std::size_t i = 0; i < members.size(); ++i) {
    char* name = H5Tget_member_name(type, static_cast<unsigned>(members[i]));
    const bool ok =
        name != nullptr && H5Tinsert(packed.id(), name, offsets[members[i]], natives[i].id()) >= 0;
    H5free_memory(name);
    if (!ok) return {};
  }
  return packed;
}

Result<Part> Hdf5Table::open_part(std::size_t source, std::span<const std::size_t> wanted) const {
  const Source& from = layout_.sources[source];
  Part part;
  part.width = from.storage.width;
  part.dataset = file_.dataset(from.path, from.storage.chunk_bytes, from.storage.chunks);
  const Handle type = type_handle(H5Dget_type(part.dataset.id()));
  if (!type.ok()) return file_.failed("open " + from.path);
  std::vector<int> members;
  for (const std::size_t column : wanted) {
    const int member = layout_.columns[column].member;
    if (layout_.columns[column].source != source || member < 0) continue;
    if (std::find(members.begin(), members.end(), member) == members.end()) {
      members.push_back(member);
    }
  }
  std::map<int, std::size_t> offsets;
  part.memory_type = members.empty() ? type_handle(H5Tget_native_type(type.id(), H5T_DIR_ASCEND))
                                     : packed_type(type.id(), members, offsets);
  if (!part.memory_type.ok()) return file_.failed("select columns of " + from.path);
  part.element_bytes = H5Tget_size(part.memory_type.id());
  part.row_bytes = part.element_bytes * part.width;
  for (std::size_t place = 0; place < wanted.size(); ++place) {
    const Column& column = layout_.columns[wanted[place]];
    if (column.source != source) continue;
    const std::size_t start =
        column.member < 0 ? column.element * part.element_bytes : offsets[column.member];
    part.values.push_back({column.kind, start + column.offset, column.size, place, wanted[place]});
    part.has_pointers = part.has_pointers || column.kind == Native::Text;
  }
  return part;
}

Result<std::vector<Part>> Hdf5Table::parts(std::span<const std::size_t> wanted) const {
  std::vector<std::size_t> sources;
  std::uint64_t chunk_bytes = 0;
  for (const std::size_t i : wanted) {
    const Column& column = layout_.columns.at(i);
    const bool texts = is_text(column.kind) || (column.codes && !column.codes->texts.empty());
    if (column.kind == Native::None || (texts && categories(i) == nullptr)) {
      return error(fmt::format(
          "column {} {}", brief(column.name),
          column.unreadable.empty() ? "does not hold plain numbers" : column.unreadable));
    }
    if (std::find(sources.begin(), sources.end(), column.source) != sources.end()) continue;
    sources.push_back(column.source);
    chunk_bytes += layout_.sources[column.source].storage.chunk_bytes;
  }
  if (chunk_bytes > kMostChunkBytes) {
    return error(
        fmt::format("is stored in chunks too large to read side by side: {} bytes, at "
                    "most {}",
                    chunk_bytes, kMostChunkBytes));
  }
  std::vector<Part> out;
  for (const std::size_t source : sources) {
    auto part = open_part(source, wanted);
    if (!part) return part.error();
    out.push_back(std::move(part).value());
  }
  return out;
}

Status Hdf5Table::read_part(Part& part, std::int64_t first, std::int64_t count,
                            const std::function<Status()>& use) const {
  const Handle space = space_handle(H5Dget_space(part.dataset.id()));
  std::array<hsize_t, H5S_MAX_RANK> start = {};
  std::array<hsize_t, H5S_MAX_RANK> counts = {};
  H5Sget_simple_extent_dims(space.id(), counts.data(), nullptr);
  start[0] = static_cast<hsize_t>(first);
  counts[0] = static_cast<hsize_t>(count);
  const hsize_t elements = static_cast<hsize_t>(count) * part.width;
  const Handle memory = space_handle(H5Screate_simple(1, &elements, nullptr));
  if (H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, counts.data(),
                          nullptr) < 0 ||
      H5Dread(part.dataset.id(), part.memory_type.id(), memory.id(), space.id(), H5P_DEFAULT,
              part.raw.data()) < 0) {
    return file_.failed(fmt::format("read rows {} to {}", first, first + count));
  }
  const Status status = use();
  if (part.has_pointers) {
    H5Dvlen_reclaim(part.memory_type.id(), memory.id(), H5P_DEFAULT, part.raw.data());
  }
  return status;
}

// Puts in the place of each code, one every `step` values, the number it stands for, or the class
// of the text.
Status Hdf5Table::decode(std::size_t column, const Codes& codes, std::int64_t first,
                         std::span<double> values, std::size_t step) const {
  for (std::size_t i = 0; i < values.size(); i += step) {
    const auto row = first + static_cast<std::int64_t>(i / step);
    const double code = values[i];
    if (!(code >= 0 && code < static_cast<double>(codes.size()))) {  // -1: a missing value
      return ReadError{fmt::format("row {} (counted from 0), column {} holds no category", row,
                                   brief(columns_[column])),
                       where(row)};
    }
    const auto index = static_cast<std::size_t>(code);
    if (codes.texts.empty()) {
      values[i] = codes.numbers[index];
      continue;
    }
    const std::int64_t number = categories(column)->of(codes.texts[index]);
    if (number < 0) return no_category(column, row, codes.texts[index]);
    values[i] = static_cast<double>(number);
  }
  return std::monostate{};
}

// To the places of the part's columns in `values`, rows of `width` numbers.
Status Hdf5Table::convert(const Part& part, std::int64_t first, std::int64_t count,
                          std::span<double> values, std::size_t width) const {
  const auto rows = static_cast<std::size_t>(count);
  for (const Part::Value& value : part.values) {
    const std::byte* from = part.raw.data() + value.offset;
    const auto to = values.subspan(value.place);
    if (!is_text(value.kind)) {
      widen(value.kind, from, part.row_bytes, to.data(), width, rows);
      if (const auto& codes = layout_.columns[value.column].codes) {
        auto status = decode(value.column, *codes, first, to.first((rows - 1) * width + 1), width);
        if (!status) return status;
        if (!codes->texts.empty()) continue;
      }
      auto status = categorise_numbers(value.column, first, to, width);
      if (!status) return status;
      continue;
    }
    for (std::size_t i = 0; i < rows; ++i, from += part.row_bytes) {
      const std::string_view cell = text_at(value.kind, from, value.size);
      const std::int64_t number = categories(value.column)->of(cell);
      if (number < 0) {
        return no_category(value.column, first + static_cast<std::int64_t>(i), cell);
      }
      to[i * width] = static_cast<double>(number);
    }
  }
  return std::monostate{};
}

Status Hdf5Table::read(std::span<const std::size_t> wanted, const RowSink& sink) {
  const std::scoped_lock lock(library_lock());
  const Silence silence;
  if (wanted.empty()) return std::monostate{};
  auto found = parts(wanted);
  if (!found) return found.error();
  std::vector<Part>& parts = *found;
  std::uint64_t row_bytes = wanted.size() * sizeof(double);
  for (const Part& part : parts) row_bytes += part.row_bytes;
  const auto piece = static_cast<std::int64_t>(std::max<std::uint64_t>(1, kPieceBytes / row_bytes));
  const auto room = static_cast<std::size_t>(std::min(piece, rows_));
  for (Part& part : parts) part.raw.resize(room * part.row_bytes);
  std::vector<double> values(room * wanted.size());
  for (std::int64_t first = 0; first < rows_; first += piece) {
    const std::int64_t count = std::min(piece, rows_ - first);
    const auto all = std::span(values).first(static_cast<std::size_t>(count) * wanted.size());
    for (Part& part : parts) {
      auto status = read_part(part, first, count,
                              [&] { return convert(part, first, count, all, wanted.size()); });
      if (!status) return status;
    }
    if (auto status = sink(first, all); !status) return status;
  }
  return std::monostate{};
}

Result<std::unique_ptr<Table>> make_table(const std::filesystem::path& path, Result<File> file,
                                          std::string_view preferred) {
  if (!file) return file.error();
  auto layout = choose_layout(*file, preferred);
  if (!layout) return layout.error();
  return std::unique_ptr<Table>(
      std::make_unique<Hdf5Table>(path, std::move(file).value(), std::move(layout).value()));
}

}  // namespace
}  // namespace hdf5

// The signature stands at offset 0, or behind a user block at 512, 1024, 2048, ...
bool is_hdf5(const std::filesystem::path& path) {
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) return false;
  for (long offset = 0; offset <= 1L << 30; offset = offset == 0 ? 512 : 2 * offset) {
    std::array<char, 8> bytes = {};
    if (std::fseek(file.get(), offset, SEEK_SET) != 0) return false;
    if (std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) return false;
    if (std::string_view(bytes.data(), bytes.size()) == kSignature) return true;
  }
  return false;
}

Result<std::unique_ptr<Table>> open_hdf5_table(const std::filesystem::path& path,
                                               std::string_view preferred) {
  const std::scoped_lock lock(hdf5::library_lock());
  const hdf5::Silence silence;
  return hdf5::make_table(path, hdf5::File::open(path), preferred);
}

Result<std::unique_ptr<Table>> parse_hdf5_table(std::span<const std::byte> image,
                                                const std::string& name,
                                                std::string_view preferred) {
  const std::scoped_lock lock(hdf5::library_lock());
  const hdf5::Silence silence;
  return hdf5::make_table(name, hdf5::File::parse(image, name), preferred);
}

}  // namespace mase::io
