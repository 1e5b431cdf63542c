// metrics.csv and TensorBoard events: the same numbers under the same names.
#include "mase/train/metrics_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include "mase/support/error.h"
#include "mase/support/files.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, int code) {
  throw Error(ErrorKind::RunFailed,
              fmt::format("cannot be written: {}", std::generic_category().message(code)),
              {.file = path.string()});
}

// Where each tag stands in a row. The first is named after the optimiser.
enum Column : std::size_t {
  kRate,
  kTrainLossStep,
  kTrainAccStep,
  kTrainLossEpoch,
  kTrainAccEpoch,
  kValLossEpoch,
  kValAccEpoch,
};

}  // namespace

GrowingFile::GrowingFile(fs::path path, std::string first_line, std::int64_t keep)
    : path_(std::move(path)), first_line_(std::move(first_line)) {
  struct stat info = {};
  if (keep > 0 && ::stat(path_.c_str(), &info) == 0 && info.st_size >= keep) {
    if (::truncate(path_.c_str(), keep) != 0) fail(path_, errno);
    size_ = keep;
    return;
  }
  write_file(path_, first_line_);
  size_ = std::ssize(first_line_);
}

void GrowingFile::flush() {
  if (path_.empty() || buffer_.empty()) return;
  if (!fs::exists(path_)) {
    write_file(path_, first_line_);
    size_ = std::ssize(first_line_);
  }
  const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) fail(path_, errno);
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(file, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int code = errno;
      ::close(file);
      fail(path_, code);
    }
    done += static_cast<std::size_t>(n);
  }
  if (::close(file) != 0) fail(path_, errno);
  size_ += std::ssize(buffer_);
  buffer_.clear();
}

MetricsLog::MetricsLog(const fs::path& folder, const std::string& rate_tag, const ir::Dict& files)
    : tags_{rate_tag,          "train_loss_step", "train_acc_step", "train_loss_epoch",
            "train_acc_epoch", "val_loss_epoch",  "val_acc_epoch"} {
  const auto size = [&files](const std::string& name) {
    for (const auto& [file, bytes] : files) {
      if (file == name && bytes.is<std::int64_t>()) return bytes.as_int();
    }
    return std::int64_t{0};
  };
  csv_ = GrowingFile(folder / "metrics.csv", fmt::format("step,epoch,{}\n", fmt::join(tags_, ",")),
                     size("metrics.csv"));
}

void MetricsLog::add(std::int64_t step, std::int64_t epoch, const Row& row) {
  if (csv_.path().empty()) return;
  auto out = std::back_inserter(csv_.buffer());
  fmt::format_to(out, "{},{}", step, epoch);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!row[i]) {
      fmt::format_to(out, ",");
    } else if (i == kRate) {
      fmt::format_to(out, ",{}", *row[i]);
    } else {
      fmt::format_to(out, ",{}", static_cast<float>(*row[i]));  // metrics are single precision
    }
  }
  fmt::format_to(out, "\n");
}

void MetricsLog::log_step(std::int64_t step, std::int64_t epoch, double rate, double loss,
                          double acc) {
  Row row;
  row[kRate] = rate;
  row[kTrainLossStep] = loss;
  row[kTrainAccStep] = acc;
  add(step, epoch, row);
}

void MetricsLog::log_epoch(std::int64_t step, std::int64_t epoch, const Epoch& values) {
  Row row;
  row[kTrainLossEpoch] = values.train_loss;
  row[kTrainAccEpoch] = values.train_acc;
  row[kValLossEpoch] = values.val_loss;
  row[kValAccEpoch] = values.val_acc;
  add(step, epoch, row);
}

void MetricsLog::flush() {
  csv_.flush();
}

ir::Dict MetricsLog::files() const {
  if (csv_.path().empty()) return {};
  return {{csv_.path().filename().string(), csv_.size()}};
}

}  // namespace mase::train
