// Counter-based random numbers: the SplitMix64 finaliser (Steele, Lea, Flood 2014) over a key made
// of seed, step and node, and the element's index.
#include "mase/engine/dropout.h"

namespace mase::engine {
namespace {

std::uint64_t mixed(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

double dropout_uniform(const DropoutSite& site, std::uint64_t index) {
  const std::uint64_t key = mixed(mixed(mixed(site.seed) ^ site.step) ^ site.node);
  return static_cast<double>(mixed(key + index) >> 11) * 0x1.0p-53;
}

}  // namespace mase::engine
