#pragma once

#include <cstddef>
#include <cstdint>

// Random numbers of dropout without a state: every engine draws the same mask for the same place in
// a training, so a resumed run goes on as if it had never stopped.
namespace mase::engine {

// Where in a training a mask is drawn.
struct DropoutSite {
  std::uint64_t seed = 0;  // ProgramOptions::seed
  std::uint64_t step = 0;  // StepOptions::step
  std::uint64_t node = 0;  // position of the node in the graph
};

// A uniform number in [0, 1) for element `index` of the mask.
double dropout_uniform(const DropoutSite& site, std::uint64_t index);

// The factors of `count` elements: 0 with probability p, else 1 / (1 - p). All 0 for p = 1.
template <typename T>
void dropout_factors(const DropoutSite& site, double p, T* out, std::size_t count) {
  const T keep = p < 1.0 ? static_cast<T>(1.0 / (1.0 - p)) : T{0};
  for (std::size_t i = 0; i < count; ++i) out[i] = dropout_uniform(site, i) < p ? T{0} : keep;
}

}  // namespace mase::engine
