// The program `ch`.
#include <fmt/format.h>

int main() {
  fmt::print("ch\n");
  return 0;
}
