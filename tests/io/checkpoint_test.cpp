#include "mase/io/torch/checkpoint.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>

#include "mase/io/arrays/npz.h"
#include "mase/io/torch/torch_archive.h"
#include "mase/io/zip.h"
#include "tests/io/damage.h"
#include "tests/shared_data.h"

namespace mase::io {
namespace {

using ir::DType;
using ir::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

std::filesystem::path temporary(std::string_view name) {
  return std::filesystem::path(testing::TempDir()) / fmt::format("mase_checkpoint_{}", name);
}

Tensor ramp(ir::Shape shape, DType type = DType::Float32) {
  Tensor out(std::move(shape), DType::Float64);
  double next = -1.5;
  for (double& v : out.values_mut<double>()) v = next += 0.37;
  return out.to(type);
}

Checkpoint sample() {
  Checkpoint c{.epoch = 2, .global_step = 30};
  c.batches = 60;
  c.state = {{"seq_blocks.0.weight", ramp({4})},
             {"seq_blocks.0.running_mean", ramp({4})},
             {"seq_blocks.0.num_batches_tracked",
              Tensor::from<std::int64_t>({}, std::array{std::int64_t{30}})},
             {"seq_blocks.2.weight", ramp({3, 4})}};
  c.optimiser = {
      {"seq_blocks.0.weight", 30, {{"exp_avg", ramp({4})}, {"exp_avg_sq", ramp({4})}}},
      {"seq_blocks.2.weight", 30, {{"exp_avg", ramp({3, 4})}, {"exp_avg_sq", ramp({3, 4})}}}};
  c.optimiser_options = {{"lr", 1e-3}, {"betas", ir::Tuple{{0.9, 0.999}}}, {"foreach", ir::None{}}};
  c.scheduler = {{"T_max", 3}, {"base_lrs", ir::List{0.01}}, {"_last_lr", ir::List{1e-6}}};
  c.callbacks = {{"ModelCheckpoint{'monitor': 'val_loss_epoch'}",
                  ir::Dict{{"best_model_score", Tensor::scalar(0.7f)}, {"dirpath", "x/y"}}}};
  c.hyper_parameters = {{"model", "jsc-toy"}, {"load_name", ir::None{}}, {"to_debug", false}};
  c.mase = {{"generator", "12345678901234567890"}, {"position", 7}, {"ratio", 0.1}};
  return c;
}

void expect_equal(const Checkpoint& a, const Checkpoint& b) {
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.global_step, b.global_step);
  EXPECT_EQ(a.batches, b.batches);
  EXPECT_EQ(a.batches_in_epoch, b.batches_in_epoch);
  EXPECT_EQ(a.state, b.state);
  ASSERT_EQ(a.optimiser.size(), b.optimiser.size());
  for (std::size_t i = 0; i < a.optimiser.size(); ++i) {
    EXPECT_EQ(a.optimiser[i].parameter, b.optimiser[i].parameter);
    EXPECT_EQ(a.optimiser[i].step, b.optimiser[i].step);
    EXPECT_EQ(a.optimiser[i].tensors, b.optimiser[i].tensors);
  }
  EXPECT_EQ(a.optimiser_options, b.optimiser_options);
  EXPECT_EQ(a.scheduler, b.scheduler);
  EXPECT_EQ(a.callbacks, b.callbacks);
  EXPECT_EQ(a.hyper_parameters, b.hyper_parameters);
  EXPECT_EQ(a.mase, b.mase);
}

// A torch.save file of any tree, with raw storages "0", "1", ...
std::string torch_file(const Object& root, const std::vector<std::string>& storages) {
  ZipWriter zip;
  zip.add("x/data.pkl", pickle(root));
  for (std::size_t i = 0; i < storages.size(); ++i)
    zip.add(fmt::format("x/data/{}", i), storages[i]);
  zip.add("x/version", "3\n");
  return zip.to_string();
}

Object tensor_call(std::string_view storage_class, std::string_view key, std::int64_t offset,
                   std::vector<Object> shape, std::vector<Object> stride,
                   std::string_view device = "cpu") {
  return Object::call(
      Object::global("torch._utils", "_rebuild_tensor_v2"),
      Object::tuple({Object::persistent(Object::tuple(
                         {"storage", Object::global("torch", std::string(storage_class)),
                          std::string(key), std::string(device), 100})),
                     offset, Object::tuple(std::move(shape)), Object::tuple(std::move(stride)),
                     false, Object::ordered_dict({})}));
}

Result<Checkpoint> parse(std::string file) {
  return parse_checkpoint(own(std::move(file)), "test.pt");
}

std::string floats(std::initializer_list<float> values) {
  std::string out;
  for (const float v : values) put(out, v);
  return out;
}

TEST(Checkpoint, LightningRoundTripIsBitwise) {
  const auto path = temporary("round.ckpt");
  const Checkpoint before = sample();
  write_lightning_checkpoint(path, before);
  EXPECT_EQ(detect_checkpoint(path).value(), CheckpointKind::Lightning);
  const auto after = read_checkpoint(path);
  ASSERT_TRUE(after.ok()) << after.error().message;
  expect_equal(*after, before);
  // What was read writes the same file again.
  const auto again = temporary("again.ckpt");
  write_lightning_checkpoint(again, *after);
  std::string first = read_file(path).value();
  std::string second = read_file(again).value();
  EXPECT_EQ(first.size(), second.size());
  std::filesystem::remove(path);
  std::filesystem::remove(again);
}

TEST(Checkpoint, InTheMiddleOfAnEpochAndWithPlainSgd) {
  const auto path = temporary("middle.ckpt");
  Checkpoint before = sample();
  before.batches_in_epoch = 11;
  for (auto& slot : before.optimiser) {
    slot.step = 0;
    slot.tensors.clear();
  }
  write_lightning_checkpoint(path, before);
  const auto after = read_checkpoint(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(after.ok()) << after.error().message;
  expect_equal(*after, before);
}

TEST(Checkpoint, StateDictRoundTripOfEveryType) {
  const auto path = temporary("state.pt");
  ir::State before;
  for (const DType type :
       {DType::Bool, DType::UInt8, DType::Int8, DType::Int16, DType::Int32, DType::Int64,
        DType::Float16, DType::BFloat16, DType::Float32, DType::Float64}) {
    before.emplace_back(std::string(ir::name(type)), ramp({2, 3}, type));
    before.emplace_back(fmt::format("scalar {}", ir::name(type)), ramp({}, type));
    before.emplace_back(fmt::format("empty {}", ir::name(type)), ramp({0, 3}, type));
  }
  write_state_dict(path, before);
  EXPECT_EQ(detect_checkpoint(path).value(), CheckpointKind::StateDict);
  const auto after = read_checkpoint(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(after.ok()) << after.error().message;
  EXPECT_EQ(after->state, before);
}

TEST(Checkpoint, ViewsAndSharedStorages) {
  const std::string data = floats({0, 1, 2, 3, 4, 5});
  const auto got = parse(torch_file(
      Object::dict({{"whole", tensor_call("FloatStorage", "0", 0, {2, 3}, {3, 1})},
                    {"transposed", tensor_call("FloatStorage", "0", 0, {3, 2}, {1, 3}, "cuda:0")},
                    {"part", tensor_call("FloatStorage", "0", 4, {2}, {1})},
                    {"every second", tensor_call("FloatStorage", "0", 1, {3}, {2})},
                    {"expanded", tensor_call("FloatStorage", "0", 5, {2, 2}, {0, 0})},
                    {"odd stride of one", tensor_call("FloatStorage", "0", 0, {1, 2}, {999, 1})}}),
      {data}));
  ASSERT_TRUE(got.ok()) << got.error().message;
  const auto values = [&](std::string_view name) {
    return ir::find(got->state, name)->values<float>();
  };
  EXPECT_THAT(values("whole"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(values("transposed"), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(values("part"), ElementsAre(4, 5));
  EXPECT_THAT(values("every second"), ElementsAre(1, 3, 5));
  EXPECT_THAT(values("expanded"), ElementsAre(5, 5, 5, 5));
  EXPECT_THAT(values("odd stride of one"), ElementsAre(0, 1));
}

TEST(Checkpoint, ParametersUnwrap) {
  const Object inner = tensor_call("FloatStorage", "0", 0, {1}, {1});
  const Object parameter = Object::call(Object::global("torch._utils", "_rebuild_parameter"),
                                        Object::tuple({inner, true, Object::ordered_dict({})}));
  const Object subclass = Object::call(
      Object::global("torch._tensor", "_rebuild_from_type_v2"),
      Object::tuple({Object::global("torch._utils", "_rebuild_parameter"),
                     Object::global("torch.nn.parameter", "Parameter"),
                     Object::tuple({inner, true, Object::ordered_dict({})}), Object::dict({})}));
  const auto got =
      parse(torch_file(Object::dict({{"p", parameter}, {"q", subclass}}), {floats({2.5f})}));
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(ir::find(got->state, "p")->at(0), 2.5);
  EXPECT_EQ(ir::find(got->state, "q")->at(0), 2.5);
}

TEST(Checkpoint, ImpossibleTensorsAreErrors) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  const auto error = [&](const Object& tensor) {
    const auto got = parse(torch_file(Object::dict({{"t", tensor}}), {floats({1, 2, 3})}));
    return got.ok() ? "(no error)" : got.error().message;
  };
  EXPECT_THAT(error(tensor_call("FloatStorage", "0", 0, {4}, {1})), HasSubstr("needs more"));
  EXPECT_THAT(error(tensor_call("FloatStorage", "0", 3, {1}, {1})), HasSubstr("needs more"));
  EXPECT_THAT(error(tensor_call("FloatStorage", "0", -1, {1}, {1})), HasSubstr("impossible"));
  EXPECT_THAT(error(tensor_call("FloatStorage", "0", 0, {2}, {-1})), HasSubstr("impossible"));
  EXPECT_THAT(error(tensor_call("FloatStorage", "0", 0, {-2}, {1})), HasSubstr("impossible"));
  EXPECT_THAT(error(tensor_call("FloatStorage", "0", 0, {kHuge, 4}, {4, 1})),
              HasSubstr("impossible"));
  EXPECT_THAT(error(tensor_call("FloatStorage", "0", 0, {3}, {kHuge})), HasSubstr("impossible"));
  EXPECT_THAT(error(tensor_call("FloatStorage", "0", 0, {1 << 30}, {0})), HasSubstr("far more"));
  EXPECT_THAT(error(tensor_call("FloatStorage", "0", 0, {2}, {1, 1})), HasSubstr("shape"));
  EXPECT_THAT(error(tensor_call("FloatStorage", "7", 0, {1}, {1})),
              HasSubstr("storage '7' is missing"));
  EXPECT_THAT(error(tensor_call("ComplexFloatStorage", "0", 0, {1}, {1})),
              HasSubstr("torch.ComplexFloatStorage"));
}

TEST(Checkpoint, SaysWhatOtherFilesAre) {
  const auto error = [](std::string file) {
    const auto got = parse(std::move(file));
    return got.ok() ? "(no error)" : got.error().message;
  };
  EXPECT_THAT(error(""), HasSubstr("empty"));
  EXPECT_THAT(error("hello"), HasSubstr("not a checkpoint"));
  EXPECT_THAT(error(torch_file(Object::list({}), {})), HasSubstr("single value"));
  EXPECT_THAT(error(torch_file(Object::dict({{"epoch", 1}, {"model", Object::dict({})}}), {})),
              HasSubstr("it has 'epoch', 'model'"));
  const Object module = Object::call(Object::global("__main__", "Net"), Object::tuple({}));
  EXPECT_THAT(error(torch_file(module, {})), HasSubstr("a pickled __main__.Net"));
  const Object graph = Object::call(Object::global("torch.fx.graph_module", "reduce_graph_module"),
                                    Object::tuple({}));
  EXPECT_THAT(error(torch_file(graph, {})), HasSubstr("state_dict.pt"));
  ZipWriter big_endian;
  big_endian.add("x/data.pkl", pickle(Object::dict({})));
  big_endian.add("x/byteorder", "big");
  EXPECT_THAT(error(big_endian.to_string()), HasSubstr("big-endian"));
  ZipWriter code;
  code.add("x/data.pkl", "ctorch.fx.graph_module\nreduce_graph_module\n(i");
  EXPECT_THAT(error(code.to_string()), HasSubstr("pickled by the original MASE"));
  ZipWriter other;
  other.add("weight.npy", "");
  EXPECT_THAT(error(other.to_string()), HasSubstr("no data.pkl"));
}

// Made by fixtures/make_old.py, which lets PyTorch read them, too.
TEST(Checkpoint, OldFilesAreRead) {
  for (const char* name : {"old_stream.pt", "old_tar.pt"}) {
    const std::string path = fmt::format("{}/tests/io/fixtures/{}", MASE_SOURCE_DIR, name);
    EXPECT_EQ(detect_checkpoint(path).value(), CheckpointKind::StateDict);
    const ir::State state = read_checkpoint(path).or_throw().state;
    ASSERT_EQ(state.size(), 5u);
    EXPECT_EQ(state[0].first, "weight");
    EXPECT_EQ(state[0].second.shape(), (ir::Shape{3, 4}));
    EXPECT_THAT(state[0].second.values<float>(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    EXPECT_THAT(state[1].second.values<float>(), ElementsAre(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11));
    EXPECT_THAT(state[2].second.values<float>(), ElementsAre(5, 6, 9, 10));
    EXPECT_EQ(state[3].second.at(0), 7);
    EXPECT_EQ(state[3].second.dtype(), DType::Int64);
    EXPECT_EQ(state[4].second.dtype(), DType::Bool);
    const std::string file = read_file(path).or_throw();
    tests::for_each_truncation(file, [](std::span<const std::byte> bytes) {
      (void)parse_checkpoint({bytes, nullptr}, "cut");
    });
    tests::for_each_bit_flip(file, [](std::span<const std::byte> bytes) {
      (void)parse_checkpoint({bytes, nullptr}, "flip");
    });
  }
}

TEST(Checkpoint, TensorsThatAreNotReadAreNamed) {
  const Object t = tensor_call("FloatStorage", "0", 0, {1}, {1});
  const Object sparse =
      Object::call(Object::global("torch._utils", "_rebuild_sparse_tensor"),
                   Object::tuple({Object::global("torch", "sparse_coo"), Object::tuple({t, t})}));
  const auto got = parse(torch_file(Object::dict({{"a", t}, {"b", sparse}}), {floats({1})}));
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->state.size(), 1u);
  EXPECT_EQ(got->unread, (ir::Named<std::string>{{"b", "a sparse tensor"}}));
}

TEST(Checkpoint, DetectsByContent) {
  const auto path = temporary("kind");
  ZipWriter mz;
  mz.add("graph.txt", "");
  mz.write(path);
  EXPECT_EQ(detect_checkpoint(path).value(), CheckpointKind::MaseGraph);
  EXPECT_THAT(read_checkpoint(path).error().message, HasSubstr("mz"));
  write_file(path,
             torch_file(Object::call(Object::global("torch.fx.graph_module", "reduce_graph_module"),
                                     Object::tuple({})),
                        {}));
  EXPECT_EQ(detect_checkpoint(path).value(), CheckpointKind::PickledMz);
  write_file(path, torch_file(Object::dict({{"state_dict", Object::dict({})}, {"lr", 1}}), {}));
  EXPECT_EQ(detect_checkpoint(path).value(), CheckpointKind::StateDict);
  std::filesystem::remove(path);
  EXPECT_FALSE(detect_checkpoint(path).ok());
}

TEST(Checkpoint, TheWrapperPrefixGoesAndMetricStatesAreIgnored) {
  const Object t = tensor_call("FloatStorage", "0", 0, {1}, {1});
  const auto got = parse(torch_file(
      Object::dict({{"pytorch-lightning_version", "2.2.0"},
                    {"state_dict", Object::ordered_dict({{"model.a.weight", t},
                                                         {"net.model.b", t},
                                                         {"acc_train.total", t},
                                                         {"model._extra_state", Object()}})}}),
      {floats({1})}));
  ASSERT_TRUE(got.ok()) << got.error().message;
  ASSERT_EQ(got->state.size(), 2u);
  EXPECT_EQ(got->state[0].first, "a.weight");
  EXPECT_EQ(got->state[1].first, "model.b");
}

TEST(Checkpoint, UnknownClassesBecomeNames) {
  const Object t = tensor_call("FloatStorage", "0", 0, {1}, {1});
  const auto got = parse(torch_file(
      Object::dict({{"pytorch-lightning_version", "2.2.0"},
                    {"state_dict", Object::ordered_dict({{"model.w", t}})},
                    {"hyper_parameters",
                     Object::dict({{"path", Object::call(Object::global("pathlib", "PosixPath"),
                                                         Object::tuple({"a", "b"}))},
                                   {"dtype", Object::global("torch", "float16")},
                                   {"lr", 0.1}})}}),
      {floats({1})}));
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->hyper_parameters, (ir::Dict{{"path", ir::TypeName{"pathlib.PosixPath"}},
                                             {"dtype", DType::Float16},
                                             {"lr", 0.1}}));
}

TEST(Checkpoint, ReadsTheOriginals) {
  MASE_NEEDS_SHARED_DATA("mase_runs/toy32_best.ckpt");
  const auto got = read_checkpoint(shared_data() / "mase_runs/tiny32_best.ckpt");
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->epoch, 2);
  EXPECT_EQ(got->global_step, 228);
  EXPECT_EQ(got->batches, 228);
  ASSERT_EQ(got->state.size(), 7u);
  EXPECT_EQ(got->state[5].first, "seq_blocks.2.weight");
  ASSERT_EQ(got->optimiser.size(), 4u);
  EXPECT_EQ(got->optimiser[2].parameter, "seq_blocks.2.weight");
  EXPECT_EQ(got->optimiser[2].step, 228);
  EXPECT_THAT(ir::find(got->optimiser[2].tensors, "exp_avg_sq")->shape(), ElementsAre(5, 16));
  EXPECT_EQ(ir::repr(ir::Value(got->scheduler)),
            "{'T_max': 3, 'eta_min': 1e-06, 'base_lrs': [0.01], 'last_epoch': 3, 'verbose': False, "
            "'_step_count': 4, '_get_lr_called_within_step': False, '_last_lr': [1e-06]}");
  EXPECT_EQ(got->callbacks.size(), 1u);

  // The same weights as the arrays that were saved beside.
  const auto arrays = NpzReader::open(shared_data() / "mase_runs/jsc-tiny_weights_and_logits.npz");
  ASSERT_TRUE(arrays.ok());
  for (const auto& [name, tensor] : got->state) {
    EXPECT_EQ(arrays->read("float." + name).value(), tensor) << name;
  }
  EXPECT_EQ(read_checkpoint(shared_data() / "mase_runs/toy32_best.ckpt").value().global_step, 684);
  const auto state =
      read_checkpoint(shared_data() / "mase_runs/transform_toy_by_type/state_dict.pt");
  ASSERT_TRUE(state.ok()) << state.error().message;
  const auto toy = NpzReader::open(shared_data() / "mase_runs/toy_by_type_weights_and_logits.npz");
  ASSERT_TRUE(toy.ok());
  EXPECT_GT(state->state.size(), 20u);
  for (const auto& [name, tensor] : state->state) {
    EXPECT_EQ(toy->read("quant." + name).value(), tensor) << name;
  }
}

TEST(Checkpoint, DamageNeverEscapes) {
  const std::string file = torch_file(
      Object::dict({{"a", tensor_call("FloatStorage", "0", 0, {3}, {1})},
                    {"state_dict", Object::dict({{"model.b", tensor_call("HalfStorage", "0", 1,
                                                                         {2, 1}, {2, 1})}})}}),
      {floats({1, 2, 3})});
  tests::for_each_truncation(file, [](std::span<const std::byte> bytes) {
    EXPECT_FALSE(parse_checkpoint({bytes, nullptr}, "cut.pt").ok()) << bytes.size();
  });
  int whole = 0;
  tests::for_each_bit_flip(file, [&](std::span<const std::byte> bytes) {
    whole += parse_checkpoint({bytes, nullptr}, "flip.pt").ok();
  });
  EXPECT_GT(whole, 0);
}

// Files grow to at most `bytes` while this lives, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    rlimit now = limit_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    ::signal(SIGXFSZ, before_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit limit_ = {};
  void (*before_)(int) = nullptr;
};

TEST(Checkpoint, ADiskThatFillsUpLeavesThePreviousFile) {
  const auto folder = temporary("full");
  const auto path = folder / "last.ckpt";
  write_lightning_checkpoint(path, sample());
  const std::string before = read_file(path).value();
  {
    const FileSizeLimit limit(before.size() / 2);
    try {
      write_lightning_checkpoint(path, sample());
      ADD_FAILURE() << "the file was written";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::RunFailed);
      EXPECT_THAT(error.what(), HasSubstr("the previous file is unchanged"));
    }
  }
  EXPECT_EQ(read_file(path).value(), before);
  // Nothing half-written stays behind.
  const std::filesystem::directory_iterator files(folder);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
  std::filesystem::remove_all(folder);
}

TEST(Checkpoint, KilledWhileWritingLeavesAWholeFile) {
  const auto folder = temporary("killed");
  const auto path = folder / "last.ckpt";
  Checkpoint c = sample();
  c.state.emplace_back("large", Tensor({1 << 20}, DType::Float32));
  c.global_step = 0;
  write_lightning_checkpoint(path, c);
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (std::int64_t step = 1;; ++step) {
        c.global_step = step;
        write_lightning_checkpoint(path, c);
      }
    }
    ::usleep(static_cast<useconds_t>(3000 * (round + 1)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const auto got = read_checkpoint(path);
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got->state, c.state);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mase::io
