#include "mase/io/events/tensorboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mase/io/events/crc32c.h"
#include "mase/support/error.h"
#include "tests/io/damage.h"

namespace mase::io {
namespace {

using testing::ElementsAre;

class TensorBoard : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / "mase_tensorboard";
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string sample() {
    EventWriter writer(folder_);
    writer.hyper_parameters({{"model", "jsc-toy"}, {"lr", 0.1}}, {"val_acc_epoch"});
    writer.scalar("val_acc_epoch", -1, 0);
    writer.scalar("train_loss_step", 0.75, 49);
    writer.end_session(true);
    writer.flush();
    return read_file(writer.path()).value();
  }

  std::filesystem::path folder_;
};

TEST(Crc32c, CheckValue) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283u);
}

TEST_F(TensorBoard, ReadsBackWhatItWrites) {
  const std::string file = sample();
  const auto events = parse_events(bytes_of(file), "events");
  ASSERT_TRUE(events.ok()) << events.error().message;
  EXPECT_EQ(events->version, "brain.Event:2");
  EXPECT_TRUE(events->complete);
  EXPECT_EQ(events->records, 6u);
  EXPECT_THAT(events->plugin_tags,
              ElementsAre("_hparams_/experiment", "_hparams_/session_start_info",
                          "_hparams_/session_end_info"));
  ASSERT_EQ(events->scalars.size(), 2u);
  EXPECT_EQ(events->scalars[0].tag, "val_acc_epoch");
  EXPECT_EQ(events->scalars[0].value, -1);
  EXPECT_EQ(events->scalars[0].step, 0);
  EXPECT_EQ(events->scalars[1].tag, "train_loss_step");
  EXPECT_EQ(events->scalars[1].value, 0.75f);
  EXPECT_EQ(events->scalars[1].step, 49);
  EXPECT_GT(events->scalars[1].wall_time, 1.6e9);
}

TEST_F(TensorBoard, EachWriterHasItsOwnFile) {
  const EventWriter a(folder_);
  const EventWriter b(folder_);
  EXPECT_NE(a.path(), b.path());
  EXPECT_TRUE(a.path().filename().string().starts_with("events.out.tfevents."));
}

TEST_F(TensorBoard, ACutOffTailIsTolerated) {
  const std::string file = sample();
  const std::size_t first = 8 + 4 + 24 + 4;  // the version record
  tests::for_each_truncation(file, [&](std::span<const std::byte> bytes) {
    const auto events = parse_events(bytes, "events");
    if (bytes.empty()) {
      EXPECT_TRUE(events.ok());
      EXPECT_EQ(events->records, 0u);
    } else if (bytes.size() < first) {
      EXPECT_FALSE(events.ok());
    } else {
      ASSERT_TRUE(events.ok()) << bytes.size();
      EXPECT_LT(events->records, 6u);
    }
  });
}

TEST_F(TensorBoard, EveryFlippedBitIsNoticed) {
  tests::for_each_bit_flip(sample(), [](std::span<const std::byte> bytes) {
    const auto events = parse_events(bytes, "events");
    EXPECT_TRUE(!events.ok() || !events->complete);
  });
}

TEST_F(TensorBoard, AFolderThatCannotBeMadeIsAnError) {
  write_file(folder_, "in the way");
  EXPECT_THROW(EventWriter(folder_ / "x"), Error);
}

}  // namespace
}  // namespace mase::io
