// Seeds of the readers: small files of each kind and of each feature a reader has.
#include <fmt/format.h>
#include <zlib.h>

#include "fuzz/seeds.h"
#include "mase/data/cache_entry.h"
#include "mase/data/dataset.h"
#include "mase/io/arrays/npz.h"
#include "mase/io/arrays/safetensors.h"
#include "mase/io/events/tensorboard.h"
#include "mase/io/graph/mz.h"
#include "mase/io/tables/hdf5_lzf.h"
#include "mase/io/tables/table_frames.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/io/torch/pickle.h"
#include "mase/io/zip.h"
#include "mase/ir/graph_text.h"
#include "mase/models/model.h"
#include "mase/support/files.h"
#include "tests/io/hdf5_writer.h"

namespace mase::fuzz {
namespace {

constexpr ir::DType kTypes[] = {ir::DType::Bool,    ir::DType::UInt8,    ir::DType::Int8,
                                ir::DType::Int16,   ir::DType::Int32,    ir::DType::Int64,
                                ir::DType::Float16, ir::DType::BFloat16, ir::DType::Float32,
                                ir::DType::Float64};

ir::State arrays() {
  ir::State out;
  for (const ir::DType type : kTypes) {
    out.emplace_back(std::string(ir::name(type)), ir::Tensor({2, 3}, type));
  }
  out.emplace_back("scalar", ir::Tensor::scalar(1.5f));
  out.emplace_back("empty", ir::Tensor({0, 2}, ir::DType::Float32));
  return out;
}

std::string npy(std::string_view header, std::size_t data, int version = 1) {
  std::string out = "\x93NUMPY";
  io::put<std::uint8_t>(out, static_cast<std::uint8_t>(version));
  io::put<std::uint8_t>(out, 0);
  if (version == 1) {
    io::put<std::uint16_t>(out, static_cast<std::uint16_t>(header.size()));
  } else {
    io::put<std::uint32_t>(out, static_cast<std::uint32_t>(header.size()));
  }
  out += header;
  return out + std::string(data, '\x01');
}

void npy_seeds(const fs::path& folder) {
  for (const auto& [name, tensor] : arrays()) io::write_npy(folder / name, tensor);
  write_file(folder / "fortran",
             npy("{'descr': '>i4', 'fortran_order': True, 'shape': (2, 3)}", 24));
  write_file(folder / "unsigned",
             npy("{'descr': '<u8', 'fortran_order': False, 'shape': (3,)}", 24, 2));
  write_file(folder / "table",
             npy("{'descr': [('a', '<f4'), (('t', 'b'), '>u2', (2,)), ('c', '|S3')], "
                 "'fortran_order': False, 'shape': (2,)}",
                 22, 3));
}

// The checksum 0 stands for "none", so that changed members are still read.
std::string without_checksums(std::string archive) {
  for (std::size_t at = 0; (at = archive.find("PK\x01\x02", at)) != std::string::npos; ++at) {
    for (std::size_t i = 16; i < 20; ++i) archive[at + i] = '\0';
  }
  return archive;
}

void zip_seeds(const fs::path& folder) {
  io::write_npz(folder / "all", arrays());
  for (const std::uint64_t zip64_from : {0xffffffffu, 1u}) {
    io::ZipWriter zip({.alignment = 1, .zip64_from = zip64_from});
    zip.add("a.npy", io::npy_bytes(ir::Tensor::scalar(2)));
    zip.add("b", "text");
    write_file(folder / fmt::format("small{}", zip64_from), without_checksums(zip.to_string()));
  }
}

io::Object tensor(const char* storage_class, const char* key, std::vector<io::Object> shape,
                  std::vector<io::Object> stride) {
  using io::Object;
  return Object::call(
      Object::global("torch._utils", "_rebuild_tensor_v2"),
      Object::tuple({Object::persistent(Object::tuple(
                         {"storage", Object::global("torch", storage_class), key, "cuda:0", 8})),
                     0, Object::tuple(std::move(shape)), Object::tuple(std::move(stride)), false,
                     Object::ordered_dict({})}));
}

void pickle_seeds(const fs::path& folder) {
  using io::Object;
  const Object view = tensor("FloatStorage", "0", {2, 2}, {1, 2});
  const Object parameter = Object::call(Object::global("torch._utils", "_rebuild_parameter"),
                                        Object::tuple({view, true, Object::ordered_dict({})}));
  const Object state = Object::ordered_dict(
      {{"model.w", parameter}, {"model.b", tensor("HalfStorage", "1", {3}, {2})}});
  write_file(folder / "state", io::pickle(state));
  write_file(
      folder / "lightning",
      io::pickle(Object::dict(
          {{"pytorch-lightning_version", "2.2.0"},
           {"epoch", 1},
           {"state_dict", state},
           {"optimizer_states",
            Object::list({Object::dict(
                {{"state", Object::dict({{0, Object::dict({{"step", view}, {"exp_avg", view}})}})},
                 {"param_groups", Object::list({Object::dict({{"lr", 0.1}})})}})})},
           {"hyper_parameters", Object::dict({{"t", Object::tuple({1, -5, 70000, 1.5})}})}})));
  // The newer opcodes, and one class that is no data.
  using namespace std::string_literals;
  write_file(folder / "newer",
             "\x80\x04\x95\x20\0\0\0\0\0\0\0}\x94\x8c\x01"
             "a\x94\x8f(K\x01\x90s\x8c\x05torch\x8c\x07"
             "float32\x93\x8c\x02xy(NN\x91\x8a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09"
             "C\x02yz\x8e\x02\0\0\0\0\0\0\0pqJ\xff\xff\xff\xffM\x01\x02."s);
  write_file(folder / "opaque",
             "cargparse\nNamespace\n)\x81}q\x01X\x02\0\0\0lrG?\xb9\x99\x99\x99\x99\x99\x9asb."s);
}

void checkpoint_seeds(const fs::path& folder) {
  io::write_state_dict(folder / "state", arrays());
  io::Checkpoint c{.epoch = 1, .global_step = 2};
  c.state = {{"w", ir::Tensor({2, 2}, ir::DType::Float32)}};
  c.optimiser = {{"w", 2, {{"exp_avg", ir::Tensor({2, 2}, ir::DType::Float32)}}}};
  c.optimiser_options = {{"lr", 0.1}, {"betas", ir::Tuple{{0.9, 0.999}}}};
  c.scheduler = {{"T_max", 3}};
  c.hyper_parameters = {{"model", "x"}, {"none", ir::None{}}};
  c.mase = {{"seed", 1}};
  io::write_lightning_checkpoint(folder / "lightning", c);
  for (const char* name : {"state", "lightning"}) {
    const std::string whole = read_file(folder / name).or_throw();
    write_file(folder / (std::string(name) + "_free"), without_checksums(whole));
  }
}

void safetensors_seeds(const fs::path& folder) {
  io::write_safetensors(folder / "all", {arrays(), {{"a", "b"}}});
  io::write_safetensors(folder / "none", {});
  io::write_safetensors(folder / "one", {{{"x", ir::Tensor::scalar(1)}}, {}});
}

void event_seeds(const fs::path& folder) {
  std::string payload;
  {
    io::EventWriter events(folder);
    events.hyper_parameters({{"model", "x"}, {"lr", 0.1}, {"flag", true}}, {"hp_metric"});
    events.scalar("loss", 0.5, 49);
    events.flush();
    payload = read_file(events.path()).or_throw();
  }
  // The payload of each record alone, as the target also takes it.
  for (std::size_t at = 0, n = 0; at + 12 < payload.size(); ++n) {
    std::uint64_t length = 0;
    std::memcpy(&length, payload.data() + at, sizeof length);
    write_file(folder / fmt::format("record{}", n), payload.substr(at + 12, length));
    at += 16 + length;
  }
}

ir::Graph network() {
  return models::build("jsc-tiny", data::info("jsc"));
}

void graph_seeds(const fs::path& folder) {
  write_file(folder / "tiny", ir::to_text(network()));
}

void mz_seeds(const fs::path& folder) {
  io::write_mz(folder / "tiny", network());
  write_file(folder / "free", without_checksums(read_file(folder / "tiny").or_throw()));
}

void csv_seeds(const fs::path& folder) {
  write_file(folder / "plain", "a,b\n1,2\n3,-4.5e6\n");
  write_file(folder / "quoted", "\xef\xbb\xbf\"x \"\"y\"\"\", z\r\n\"1\",nan\r\n\r\n+1 , 1e400");
  write_file(folder / "broken", "a\n\"1\n");
}

std::string idx(char type, std::string_view shape, std::size_t bytes) {
  std::string out = {'\0', '\0', type, static_cast<char>(shape.size())};
  for (const char d : shape) out += std::string(3, '\0') + d;
  return out + std::string(bytes, '\x40');
}

void idx_seeds(const fs::path& folder) {
  write_file(folder / "bytes", idx(8, "\2\3", 6));
  write_file(folder / "int16", idx(11, "\3", 6));
  write_file(folder / "float64", idx(14, "\1\1\2", 16));
  const std::string bytes = idx(8, "\2\3", 6);
  const gzFile file = gzopen((folder / "gzip").c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

// Each storage and filter, in the oldest and the newest form of the library's structures.
void hdf5_seeds(const fs::path& folder) {
  io::register_lzf_filter();
  const auto row = [](std::size_t i) { return static_cast<double>(i); };
  io::WrittenTable table{
      .name = "t",
      .columns = {{"a", H5T_IEEE_F32LE, row}, {"b", H5T_STD_I32BE, row}, {"c", H5T_STD_U8LE, row}},
      .rows = 20};
  io::write_hdf5_file(folder / "contiguous", {table});
  table.chunk = 7;
  io::write_hdf5_file(folder / "chunked", {table});
  for (const H5Z_filter_t filter : {H5Z_FILTER_DEFLATE, io::kLzfFilter, H5Z_FILTER_FLETCHER32}) {
    table.filters = {H5Z_FILTER_SHUFFLE, filter};
    io::write_hdf5_file(folder / fmt::format("filter{}", filter), {table});
  }
  const hid_t newest = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(newest, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const hid_t file = H5Fcreate((folder / "newest").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, newest);
  io::write_hdf5_table(file, table);
  H5Fclose(file);
  H5Pclose(newest);
}

std::string frame(io::FrameKind kind, const std::string& content) {
  std::string out;
  io::put(out, io::Frame{kind, content.size()});
  return out + content;
}

std::string frame_of_rows(std::int64_t first, std::size_t values) {
  std::string content;
  io::put(content, first);
  return frame(io::FrameKind::Rows, content + std::string(8 * values, '\x3f'));
}

void frame_seeds(const fs::path& folder) {
  const std::string described =
      frame(io::FrameKind::Description, io::pack(io::TableDescription{3, {"a", "bc"}}));
  const std::string rows = frame_of_rows(0, 2) + frame_of_rows(1, 4);
  const std::string failed = frame(io::FrameKind::Error, io::pack(ReadError{"torn", {.line = 2}}));
  write_file(folder / "whole", "\1\3" + described + rows + frame(io::FrameKind::Done, ""));
  write_file(folder / "unknown", "\1\xff" + described + rows + frame(io::FrameKind::Done, ""));
  write_file(folder / "error", "\1\3" + described + frame_of_rows(0, 2) + failed);
  write_file(folder / "refused", "\1\3" + failed);
}

data::Split rows(std::int64_t count) {
  return {ir::Tensor({count, 2}, ir::DType::Float32), ir::Tensor({count}, ir::DType::Int64)};
}

void entry_seeds(const fs::path& folder) {
  const data::Prepared prepared{.train = rows(4), .test = rows(1), .rows_read = 6, .duplicates = 1};
  const data::EntryHeader header = data::header_of(prepared, std::string(64, 'a'));
  const std::string start(reinterpret_cast<const char*>(&header), sizeof header);
  write_file(folder / "sealed", start + '\1');
  write_file(folder / "raw", start + std::string(data::kEntryPage, '\0'));
}

}  // namespace

std::span<const Seeds> reader_seeds() {
  static constexpr Seeds kSeeds[] = {
      {"cache_entry", entry_seeds},
      {"checkpoint", checkpoint_seeds},
      {"csv_table", csv_seeds},
      {"events", event_seeds},
      {"graph_text", graph_seeds},
      {"hdf5_table", hdf5_seeds},
      {"idx", idx_seeds},
      {"mz", mz_seeds},
      {"npy", npy_seeds},
      {"npz", zip_seeds},
      {"pickle", pickle_seeds},
      {"safetensors", safetensors_seeds},
      {"table_frames", frame_seeds},
  };
  return kSeeds;
}

}  // namespace mase::fuzz
