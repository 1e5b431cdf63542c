// Learning curves from metrics.csv: rows in proportion to the file that can be written and read
// again, alike; and never an exception.
#include "mase/train/sweep/curves.h"

#include <fmt/format.h>

#include <cmath>

#include "fuzz/harness.h"
#include "mase/train/run_folder.h"

namespace {

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  static const fuzz::Folder folder("curves");
  static const auto file =
      train::version_folder(folder.path(), 0).lexically_relative(folder.path()) / "metrics.csv";
  folder.write(file, bytes);
  const auto rows = train::read_curves(folder.path());
  fuzz::require(rows.size() <= bytes.size(), "rows in proportion");
  std::string text = "val_acc_epoch,epoch,train_loss_epoch,train_acc_epoch,val_loss_epoch\n";
  for (const train::EpochRow& row : rows) {
    text += fmt::format("{},{},{},{},{}\n", row.val_acc, row.epoch, row.train_loss, row.train_acc,
                        row.val_loss);
  }
  folder.write(file, std::as_bytes(std::span(text)));
  const auto again = train::read_curves(folder.path());
  fuzz::require(again.size() == rows.size(), "what is written can be read");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const train::EpochRow& a = rows[i];
    const train::EpochRow& b = again[i];
    fuzz::require(same(a.epoch, b.epoch) && same(a.train_loss, b.train_loss) &&
                      same(a.train_acc, b.train_acc) && same(a.val_loss, b.val_loss) &&
                      same(a.val_acc, b.val_acc),
                  "read, written, read");
  }
}
