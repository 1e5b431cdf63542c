// Seeds of size, for faults that small inputs do not have: long names, deep nesting, many entries.
// Each fits into the largest input of its target.
#include <fmt/format.h>
#include <zlib.h>

#include <functional>

#include "fuzz/seeds.h"
#include "mase/io/arrays/npz.h"
#include "mase/io/arrays/safetensors.h"
#include "mase/io/graph/mz.h"
#include "mase/io/zip.h"
#include "mase/ir/graph_text.h"
#include "mase/models/model_file.h"
#include "mase/support/files.h"
#include "tests/io/hdf5_writer.h"

namespace mase::fuzz {
namespace {

std::string times(std::size_t count, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

// One text for each number up to `count`.
std::string each(std::size_t count, const std::function<std::string(std::size_t)>& text) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text(i);
  return out;
}

std::string nested(std::size_t depth, std::string_view open, std::string_view inside,
                   std::string_view close) {
  return times(depth, open) + std::string(inside) + times(depth, close);
}

void toml_seeds(const fs::path& folder) {
  write_file(folder / "deep", "a = " + nested(4000, "[", "1", "]"));
  write_file(folder / "dotted", "a" + times(4000, ".a") + " = 1");
  write_file(folder / "inline", "a = " + nested(1000, "{a=", "1", "}"));
  write_file(folder / "long_key", times(60000, "k") + " = 1");
  write_file(folder / "keys", each(4000, [](auto i) { return fmt::format("k{} = {}\n", i, i); }));
  write_file(folder / "tables", times(4000, "[[sweep.run]]\n"));
  write_file(folder / "list", "batch_size = [" + times(20000, "1,") + "]");
}

void csv_seeds(const fs::path& folder) {
  write_file(folder / "long_name", times(50000, "n") + ",b\n1,2\n");
  write_file(folder / "columns", times(8000, "a,") + "b\n" + times(8000, "1,") + "1\n");
  write_file(folder / "rows", "a\n" + times(20000, "1\n"));
  write_file(folder / "quoted", "a\n\"" + times(50000, "\n") + "\"\n");
}

void curve_seeds(const fs::path& folder) {
  write_file(folder / "columns",
             "epoch,train_loss_epoch" + times(6000, ",a") + "\n0,1" + times(6000, ",2") + "\n");
  write_file(folder / "rows", "epoch,train_loss_epoch\n" + times(12000, "1,2\n"));
}

void literal_seeds(const fs::path& folder) {
  write_file(folder / "deep", nested(20000, "[", "", "]"));
  write_file(folder / "tuples", nested(10000, "(", "1", ",)"));
  write_file(folder / "long", "'" + times(60000, "x") + "'");
  write_file(folder / "many", "[" + times(20000, "1,") + "]");
}

void layer_seeds(const fs::path& folder) {
  write_file(folder / "deep", "Linear(" + nested(10000, "(", "1", ",)") + ")");
  write_file(folder / "long_name", times(60000, "L") + "(1)");
  write_file(folder / "many", "Linear(" + times(15000, "1, ") + "1)");
  write_file(folder / "digits", "Linear(1, " + times(60000, "9") + ")");
}

void model_seeds(const fs::path& folder) {
  toml_seeds(folder);
  write_file(folder / "layers", "layers = [" + times(3000, "\"ReLU()\", ") + "]");
}

void answer_seeds(const fs::path& folder) {
  write_file(folder / "long", "HTTP/1.1 200 OK\r\nETag: \"" + times(60000, "e") + "\"\r\n");
  write_file(folder / "many", times(6000, "Date: x\r\n"));
}

void selection_seeds(const fs::path& folder) {
  write_file(folder / "rules", "\x02" + times(900, ".*_0\n"));
  write_file(folder / "long", "\x02" + times(3000, "a?"));
  write_file(folder / "groups", "\x02" + nested(900, "(", "a", ")"));
  write_file(folder / "repeats", "\x02((((a{1,1000}){1,1000}){1,1000}){1,1000})*");
}

void state_seeds(const fs::path& folder) {
  const auto run = [](std::size_t i) {
    return fmt::format(
        R"({}"{}":{{"status":"failed","reason":"","folder":"runs/{}","settings":{{}},)"
        R"("engine":"","parameters":0,"epochs":0,"steps":0,"seconds":0}})",
        i > 0 ? "," : "", i, i);
  };
  write_file(folder / "runs", R"({"format":1,"runs":{)" + each(400, run) + "}}");
  write_file(folder / "deep", R"({"format":1,"runs":)" + nested(20000, "[", "", "]") + "}");
}

std::string npy_header(const std::string& descr, const std::string& shape) {
  const std::string header =
      fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': {}, }}", descr, shape);
  std::string out("\x93NUMPY\x02\x00", 8);
  io::put<std::uint32_t>(out, static_cast<std::uint32_t>(header.size()));
  return out + header;
}

void npy_seeds(const fs::path& folder) {
  const auto column = [](std::size_t i) { return fmt::format("('c{}', '<f4'), ", i); };
  write_file(folder / "columns",
             npy_header("[" + each(2000, column) + "]", "(1,)") + std::string(8000, '\1'));
  write_file(folder / "dimensions", npy_header("'<f4'", "(" + times(20000, "1,") + ")"));
  write_file(folder / "deep", npy_header(nested(10000, "[", "", "]"), "(1,)"));
  write_file(folder / "long_name", npy_header("[('" + times(60000, "n") + "', '<f4')]", "(0,)"));
}

// A zip archive of one packed member.
std::string packed_zip(const std::string& name, const std::string& content) {
  std::string packed(compressBound(content.size()), '\0');
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  // Version, flags, method, time, date, checksum (0: none), sizes, length of the name and extras.
  std::string facts;
  for (const std::uint16_t number : {20, 0, 8, 0, 33, 0, 0}) io::put<std::uint16_t>(facts, number);
  io::put<std::uint32_t>(facts, static_cast<std::uint32_t>(packed.size()));
  io::put<std::uint32_t>(facts, static_cast<std::uint32_t>(content.size()));
  io::put<std::uint32_t>(facts, static_cast<std::uint32_t>(name.size()));
  std::string out = "PK\3\4" + facts + name + packed;
  const std::size_t directory = out.size();
  out += std::string("PK\1\2\x14\0", 6) + facts + std::string(14, '\0') + name;
  const std::size_t end = out.size();
  out += std::string("PK\5\6\0\0\0\0\1\0\1\0", 12);
  io::put<std::uint32_t>(out, static_cast<std::uint32_t>(end - directory));
  io::put<std::uint32_t>(out, static_cast<std::uint32_t>(directory));
  return out + std::string(2, '\0');
}

void npz_seeds(const fs::path& folder) {
  ir::State arrays;
  for (int i = 0; i < 200; ++i) arrays.emplace_back(fmt::format("a{}", i), ir::Tensor::scalar(1));
  io::write_npz(folder / "members", arrays);
  write_file(folder / "zeros",
             packed_zip("a.npy", io::npy_bytes(ir::Tensor({1 << 20}, ir::DType::Float32))));
}

void checkpoint_seeds(const fs::path& folder) {
  io::ZipWriter zip;
  zip.add("x/data.pkl", "\x80\x02" + nested(20000, "]", "", "a") + ".");
  write_file(folder / "deep", zip.to_string());
  write_file(folder / "zeros", packed_zip("x/data.pkl", std::string(1 << 22, '\0')));
}

void pickle_seeds(const fs::path& folder) {
  write_file(folder / "deep", "\x80\x02" + nested(20000, "]", "", "a") + ".");
  write_file(folder / "tuples", "\x80\x02N" + times(50000, "\x85") + ".");
  write_file(folder / "marks", "\x80\x02" + times(60000, "(") + ".");
  write_file(folder / "memo", "\x80\x02N" + each(15000, [](auto i) {
                                return fmt::format("q{}", static_cast<char>(i % 256));
                              }) + ".");
  write_file(folder / "doubled", "\x80\x02]q" + std::string("\0", 1) +
                                     times(12000, std::string("h\0h\0\x86", 5)) + ".");
  write_file(folder / "long", "\x80\x02V" + times(60000, "x") + "\n.");
}

void safetensors_seeds(const fs::path& folder) {
  ir::State arrays;
  for (int i = 0; i < 500; ++i) arrays.emplace_back(fmt::format("a{}", i), ir::Tensor::scalar(1));
  io::write_safetensors(folder / "names", {arrays, {}});
  io::write_safetensors(folder / "long_name", {{{times(60000, "n"), ir::Tensor::scalar(1)}}, {}});
  const auto with_header = [](const std::string& header) {
    std::string out;
    io::put<std::uint64_t>(out, header.size());
    return out + header;
  };
  write_file(folder / "deep", with_header("{\"a\":" + nested(20000, "[", "", "]") + "}"));
}

void idx_seeds(const fs::path& folder) {
  std::string bytes("\0\0\x08\x03\0\0\x10\0\0\0\x20\0\0\0\x20\0", 16);
  bytes.resize(16 + (std::size_t{1} << 22));
  const gzFile file = gzopen((folder / "zeros").c_str(), "wb9");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

ir::Graph long_network() {
  return models::build(
      models::parse_model_file("layers = [" + times(200, "\"ReLU()\", ") + "]", "long.toml"),
      {.num_classes = 2, .num_features = 2, .sample_shape = {2}}, 1);
}

void graph_seeds(const fs::path& folder) {
  const std::string text = ir::to_text(long_network());
  write_file(folder / "nodes", text);
  const std::size_t arguments = text.find("args (");
  write_file(folder / "deep",
             text.substr(0, arguments) + "args " + nested(10000, "(", "1", ",)") + "\n");
  write_file(folder / "long_name", "mase graph 1\ngraph '" + times(60000, "g") + "'\n");
}

void mz_seeds(const fs::path& folder) {
  io::write_mz(folder / "nodes", long_network());
}

void hdf5_seeds(const fs::path& folder) {
  const auto file = [&](const char* name, const std::function<void(hid_t)>& fill) {
    const hid_t made = H5Fcreate((folder / name).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    fill(made);
    H5Fclose(made);
  };
  file("datasets", [](hid_t to) {
    for (int i = 0; i < 100; ++i) io::write_hdf5_array(to, fmt::format("c{}", i), {2}, {1, 2});
  });
  file("groups", [](hid_t to) { io::write_hdf5_array(to, times(40, "g/") + "x", {2}, {1, 2}); });
  file("members", [](hid_t to) {
    io::WrittenTable table{.name = "t", .rows = 2};
    for (int i = 0; i < 500; ++i) table.columns.push_back({fmt::format("c{}", i), H5T_IEEE_F32LE});
    io::write_hdf5_table(to, table);
  });
  file("long_name", [](hid_t to) {
    io::WrittenTable table{
        .name = "t", .columns = {{times(30000, "n"), H5T_IEEE_F32LE}}, .rows = 2};
    io::write_hdf5_table(to, table);
  });
}

}  // namespace

std::span<const Seeds> large_seeds() {
  static constexpr Seeds kSeeds[] = {
      {"answer_head", answer_seeds},
      {"checkpoint", checkpoint_seeds},
      {"configuration", toml_seeds},
      {"csv_table", csv_seeds},
      {"curves", curve_seeds},
      {"graph_text", graph_seeds},
      {"hdf5_table", hdf5_seeds},
      {"idx", idx_seeds},
      {"layer_text", layer_seeds},
      {"model_file", model_seeds},
      {"mz", mz_seeds},
      {"npy", npy_seeds},
      {"npz", npz_seeds},
      {"pass_options", toml_seeds},
      {"pickle", pickle_seeds},
      {"python_literal", literal_seeds},
      {"safetensors", safetensors_seeds},
      {"selection", selection_seeds},
      {"sweep_state", state_seeds},
      {"toml", toml_seeds},
  };
  return kSeeds;
}

}  // namespace mase::fuzz
