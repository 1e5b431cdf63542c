// Learning curves: the rows of metrics.csv that end an epoch.
#include "mase/train/sweep/curves.h"

#include <charconv>
#include <limits>
#include <string>
#include <string_view>

#include "mase/support/files.h"
#include "mase/train/run_folder.h"

namespace mase::train {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

double number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? value : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::vector<EpochRow> read_curves(const std::filesystem::path& project) {
  const std::int64_t version = newest_version(project);
  if (version < 0) return {};
  const Result<std::string> text = read_file(version_folder(project, version) / "metrics.csv");
  if (!text) return {};
  const std::vector<std::string_view> lines = split(*text, '\n');
  const std::vector<std::string_view> names = split(lines.front(), ',');
  std::vector<EpochRow> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> fields = split(lines[i], ',');
    if (fields.size() != names.size()) continue;
    const auto field = [&](std::string_view name) {
      for (std::size_t k = 0; k < names.size(); ++k) {
        if (names[k] == name) return number(fields[k]);
      }
      return std::numeric_limits<double>::quiet_NaN();
    };
    const EpochRow row{.epoch = field("epoch"),
                       .train_loss = field("train_loss_epoch"),
                       .train_acc = field("train_acc_epoch"),
                       .val_loss = field("val_loss_epoch"),
                       .val_acc = field("val_acc_epoch")};
    if (row.epoch == row.epoch && row.train_loss == row.train_loss) rows.push_back(row);
  }
  return rows;
}

}  // namespace mase::train
