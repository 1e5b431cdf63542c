// Results that do not depend on the processor: the wide kernels of every instruction set train and
// evaluate to the same bits, those of AVX-512 among them (emulated where the machine has none, and
// where it has, as well).
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <vector>

#include "mase/engine/native/kernels.h"
#include "mase/engine/native/program.h"
#include "tests/engine/native_cases.h"
#include "tests/engine/networks.h"

namespace mase::engine {

#if defined(MASE_EMULATED_KERNELS)
namespace native::avx512_float_emulated {
extern const Kernels kTable;
}
#endif

namespace {

std::vector<const native::Kernels*> wide_sets() {
  std::vector<const native::Kernels*> sets;
  for (const char* name : {"portable_wide", "avx2_wide", "avx512"}) {
    if (const native::Kernels* kernels = native::find_kernels(name)) sets.push_back(kernels);
  }
#if defined(MASE_EMULATED_KERNELS)
  if (native::find_kernels("avx2")) sets.push_back(&native::avx512_float_emulated::kTable);
#endif
  return sets;
}

class Deterministic : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    case_ = test::native_cases()[static_cast<std::size_t>(GetParam())];
    std::int64_t classes = 2;
    for (const auto& parameter : case_.graph.parameters()) {
      if (!parameter.is_buffer) classes = parameter.value.dim(0);
    }
    ir::Shape shape = case_.sample;
    shape.insert(shape.begin(), kRows);
    features_ = test::random_tensor(shape, 3, -2, 2);
    labels_ = ir::Tensor({kRows}, ir::DType::Int64);
    Random random(5);
    for (auto& label : labels_.values_mut<std::int64_t>()) {
      label = random.up_to(static_cast<std::uint32_t>(classes - 1));
    }
  }

  struct Run {
    ir::State state;
    std::vector<double> losses;
  };
  // Batches of every tail, in tiles of both kinds of weight gradients.
  Run train(const native::Kernels& kernels, const OptimiserOptions& optimiser) {
    native::IntegerOptions integer = native::integer_options();
    integer.enabled = kernels.name != "portable_wide";
    native::NativeProgram program(case_.graph, {.seed = 9}, kernels, integer);
    program.set_optimiser(optimiser);
    Run run;
    std::uint64_t step = 0;
    for (const std::int64_t size : {64, 5, 33, 300, 16, 2, 257, 64, 64, 64}) {
      std::vector<std::uint32_t> rows(static_cast<std::size_t>(size));
      std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(step * 7));
      const Batch batch{.features = &features_, .labels = &labels_, .rows = rows};
      run.losses.push_back(program.train_step(batch, {.step = step++}).loss);
      run.losses.push_back(program.evaluate(batch).loss);
    }
    run.state = program.state();
    return run;
  }

  static constexpr std::int64_t kRows = 400;
  test::NativeCase case_;
  ir::Tensor features_;
  ir::Tensor labels_;
};

TEST_P(Deterministic, EveryInstructionSetTrainsToTheSameBits) {
  const auto sets = wide_sets();
  for (const OptimiserOptions& optimiser :
       {OptimiserOptions{.learning_rate = 0.02, .weight_decay = 1e-3},
        OptimiserOptions{.kind = OptimiserKind::Sgd, .learning_rate = 0.05}}) {
    const Run expected = train(*sets[0], optimiser);
    for (std::size_t i = 1; i < sets.size(); ++i) {
      const Run run = train(*sets[i], optimiser);
      EXPECT_EQ(run.losses, expected.losses) << sets[i]->name;
      ASSERT_EQ(run.state.size(), expected.state.size());
      for (std::size_t k = 0; k < run.state.size(); ++k) {
        EXPECT_TRUE(run.state[k].second == expected.state[k].second)
            << sets[i]->name << " " << run.state[k].first;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, Deterministic,
                         ::testing::Range(0, static_cast<int>(test::native_cases().size())),
                         [](const auto& info) {
                           return test::native_cases()[static_cast<std::size_t>(info.param)].name;
                         });

TEST(DeterministicOption, IsWhatTheOptionAsksFor) {
  const Engine& engine = load_engine("native");
  EXPECT_EQ(engine.instruction_set({.deterministic = true}), "");
  EXPECT_EQ(engine.instruction_set({}), native::kernels().name);
  EXPECT_EQ(native::wide_kernels().lanes, 16);
}

}  // namespace
}  // namespace mase::engine
