// state.json of a sweep's folder: every outcome the file names, which is written and read again,
// alike; or an error that says the file is none of ours.
#include "mase/train/sweep/state.h"

#include <nlohmann/json.hpp>

#include "fuzz/harness.h"
#include "mase/support/files.h"

namespace {

using namespace mase;

constexpr const char* kFile = "state.json";

const fuzz::Folder& folder() {
  static const fuzz::Folder made("sweep_state");
  return made;
}

// Has every run noted once more, and returns the file.
std::string rewritten(const std::vector<std::string>& keys) {
  train::SweepState state(folder().path());
  for (const std::string& key : keys) {
    const train::RunOutcome* run = state.find(key);
    fuzz::require(run != nullptr && run->key == key, "each run of the file is there");
    state.put(train::RunOutcome(*run));
  }
  state.flush();
  return read_file(folder().path() / kFile).or_throw();
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  folder().write(kFile, bytes);
  std::vector<std::string> keys;
  const bool read = fuzz::passes([&] {
    const train::SweepState state(folder().path());
    const auto json = nlohmann::json::parse(fuzz::text_of(bytes));
    for (const auto& [key, run] : json.at("runs").items()) keys.push_back(key);
  });
  if (!read || keys.empty()) return;
  const std::string text = rewritten(keys);
  fuzz::require(rewritten(keys) == text, "read, written, read");
}
