// metrics.csv and TensorBoard events: the same numbers under the same names.
#include "mase/train/metrics_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "mase/io/text/yaml.h"
#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/support/paths.h"

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

constexpr const char* kCsv = "metrics.csv";

std::optional<std::int64_t> size_in(const ir::Dict& files, std::string_view name) {
  for (const auto& [file, bytes] : files) {
    if (file == name && bytes.is<std::int64_t>()) return bytes.as_int();
  }
  return std::nullopt;
}

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (it->path().filename().native().starts_with("events.out.tfevents.")) {
      out.push_back(it->path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

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
  if (!path_exists(path_)) {
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

MetricsLog::MetricsLog(const fs::path& folder, const std::string& rate_tag,
                       const ir::Dict& hyper_parameters, const ir::Dict& files)
    : folder_(folder), tags_{rate_tag,           "train_loss_step", "train_acc_step",
                             "train_loss_epoch", "train_acc_epoch", "val_loss_epoch",
                             "val_acc_epoch"} {
  csv_ = GrowingFile(folder / kCsv, fmt::format("step,epoch,{}\n", fmt::join(tags_, ",")),
                     size_in(files, kCsv).value_or(0));
  for (const fs::path& path : event_files(folder)) {
    const std::string name = path.filename();
    const std::optional<std::int64_t> size = size_in(files, name);
    std::error_code code;
    if (size && *size <= static_cast<std::int64_t>(fs::file_size(path, code))) {
      fs::resize_file(path, static_cast<std::uintmax_t>(*size), code);
      earlier_.emplace_back(name, *size);
    } else {
      fs::remove(path, code);
    }
    if (code) fail(path, code.value());
  }
  events_ = std::make_unique<io::EventWriter>(folder);
  if (files.empty()) log_hyper_parameters(folder, *events_, hyper_parameters);
}

void MetricsLog::add(std::int64_t step, std::int64_t epoch, const Row& row) {
  if (!events_) return;
  auto out = std::back_inserter(csv_.buffer());
  fmt::format_to(out, "{},{}", step, epoch);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!row[i]) {
      fmt::format_to(out, ",");
      continue;
    }
    events_->scalar(tags_[i], *row[i], step);
    if (i == kRate) {
      fmt::format_to(out, ",{}", *row[i]);
    } else {
      fmt::format_to(out, ",{}", static_cast<float>(*row[i]));  // metrics are single precision
    }
  }
  fmt::format_to(out, "\n");
  events_->scalar("epoch", static_cast<double>(epoch), step);
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
  if (!events_) return;
  csv_.flush();
  events_->flush();
  // Removed meanwhile: what comes from here on is not to be lost with it.
  if (!path_exists(events_->path())) events_ = std::make_unique<io::EventWriter>(folder_);
}

void MetricsLog::end(bool success) {
  if (!events_) return;
  flush();
  events_->end_session(success);
  events_->flush();
}

ir::Dict MetricsLog::files() const {
  if (!events_) return {};
  ir::Dict out = earlier_;
  out.emplace_back(kCsv, csv_.size());
  std::error_code code;
  const std::uintmax_t bytes = fs::file_size(events_->path(), code);
  if (!code) {
    out.emplace_back(events_->path().filename().string(), static_cast<std::int64_t>(bytes));
  }
  return out;
}

void log_hyper_parameters(const fs::path& folder, io::EventWriter& events, const ir::Dict& values) {
  write_file(folder / "hparams.yaml", io::write_yaml(values));
  events.hyper_parameters(values, {"val_acc_epoch", "val_loss_epoch", "train_acc_epoch",
                                   "train_loss_epoch", "test_acc_epoch", "test_loss_epoch"});
  events.flush();
}

}  // namespace mase::train
