#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "mase/io/events/tensorboard.h"
#include "mase/ir/value.h"

namespace mase::train {

// A text file that only grows, in pieces that are kept in memory until flush(). One that vanished
// meanwhile is begun anew, with its first line. Throws Error{RunFailed} when the disk refuses.
class GrowingFile {
 public:
  GrowingFile() = default;  // writes nothing
  // Goes on after the first `keep` bytes of what is there; 0 begins anew.
  GrowingFile(std::filesystem::path path, std::string first_line, std::int64_t keep);

  std::string& buffer() { return buffer_; }
  void flush();
  std::int64_t size() const { return size_; }  // on the disk
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::string first_line_;
  std::string buffer_;
  std::int64_t size_ = 0;
};

// The measurements of a run in its version folder: metrics.csv with one row per logged moment, and
// the same numbers as TensorBoard events. After an interruption the files are cut to the sizes a
// checkpoint names and go on from there (events in a file of their own), so nothing appears twice.
class MetricsLog {
 public:
  MetricsLog() = default;  // writes nothing
  // `files` as of files(), from the checkpoint to go on from; empty for a new run, which records
  // its hyper-parameters first.
  MetricsLog(const std::filesystem::path& folder, const std::string& rate_tag,
             const ir::Dict& hyper_parameters, const ir::Dict& files);

  struct Epoch {
    double train_loss = 0;
    double train_acc = 0;
    std::optional<double> val_loss;
    std::optional<double> val_acc;
  };
  // `step` counts optimiser updates from 0, as TensorBoard users expect it: 49, 99, ...
  void log_step(std::int64_t step, std::int64_t epoch, double rate, double loss, double acc);
  void log_epoch(std::int64_t step, std::int64_t epoch, const Epoch& values);
  void flush();
  // Ends the session that TensorBoard's HPARAMS tab shows. Not part of files(): a run that goes on
  // from its checkpoint cuts it off.
  void end(bool success);

  ir::Dict files() const;  // sizes by name since the last flush, for a checkpoint

 private:
  static constexpr std::size_t kColumns = 7;
  using Row = std::array<std::optional<double>, kColumns>;
  void add(std::int64_t step, std::int64_t epoch, const Row& row);

  std::filesystem::path folder_;
  std::array<std::string, kColumns> tags_;
  GrowingFile csv_;
  std::unique_ptr<io::EventWriter> events_;
  ir::Dict earlier_;  // event files of the run's parts before this one
};

// hparams.yaml and the start of a session in the HPARAMS tab, which shows a run's last losses and
// accuracies (Lightning has one metric there, hp_metric, which is -1). Training and tests name the
// same metrics: the tab takes its columns from the first session it finds.
void log_hyper_parameters(const std::filesystem::path& folder, io::EventWriter& events,
                          const ir::Dict& values);

}  // namespace mase::train
