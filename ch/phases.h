#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ch {

// How long the parts of a run took, for --profile.
class Phases {
 public:
  // Ends the phase before and starts this one; the same name adds up.
  void start(std::string_view name);
  void stop();
  // A table of the phases, longest first, with their shares.
  std::string report();

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<std::pair<std::string, double>> seconds_;
  std::string current_;
  Clock::time_point since_;
};

}  // namespace ch
