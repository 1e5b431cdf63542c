#pragma once

#include <cstdint>
#include <span>
#include <vector>

// Where arrays with lifetimes lie in one block of memory: two share a place only if they do not
// live at the same time. Keeps what a tile needs within the caches.
namespace mase::engine::native {

// From the first write to the last use, both included, counted in instructions. An array that is
// never written (first > last) takes no room.
struct Lifetime {
  std::int64_t size = 0;
  int first = 0;
  int last = -1;

  void use(int time);  // stretches the lifetime to include an instruction
};

struct MemoryLayout {
  std::vector<std::int64_t> at;  // by array
  std::int64_t size = 0;         // of the block
};

// First fit, in order of first use.
MemoryLayout lay_out(std::span<const Lifetime> arrays);

}  // namespace mase::engine::native
