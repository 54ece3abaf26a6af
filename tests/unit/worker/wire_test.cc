// The wire protocol: what is written reads back; anything else is refused.
#include "worker/wire.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace pixmilter::worker::wire {
namespace {

using image::Format;
using image::Status;

Job full_job() {
  Job job;
  job.number = 0x0123456789ABCDEF;
  job.input_size = 77;
  job.picture = "a small picture";
  job.job.format = Format::jp2;
  job.job.layout = {640, 480, 4, 3, image::BandFormat::int64, true, true, true, 128};
  job.job.settings.format = image::OutputFormat::gif;
  job.job.settings.quality = 99;
  job.job.settings.lossy_allowed = true;
  job.job.settings.resize = image::Resize::force;
  job.job.settings.width = 1;
  job.job.settings.height = 4'000'000'000;
  job.job.settings.enlarge = true;
  job.job.settings.max_bytes = std::numeric_limits<std::uint64_t>::max();
  job.job.settings.min_side = 9;
  job.job.settings.colormap = image::Colormap::turbo;
  job.job.settings.range = {image::Range::Kind::percentile, -1.5, 98};
  job.job.settings.fps = 12.5;
  job.job.settings.svg_scale = 2;
  job.job.settings.page = 3;
  job.job.limits = {1, 2, 3, 4};
  return job;
}

Answer full_answer() {
  Answer answer;
  answer.number = 5;
  answer.status = Status::limit;
  answer.reason = "too large\nby far";
  answer.format = Format::gif;
  answer.width = 7;
  answer.height = 8;
  answer.frames = 9;
  answer.size = 10;
  answer.picture = "ten bytes.";
  answer.retire = true;
  return answer;
}

TEST(WireTest, EveryMessageReadsBackAsItWasWritten) {
  EXPECT_EQ(decode<Hello>(encode(Hello{42}))->pid, 42U);
  const auto fork = decode<Fork>(encode(Fork{7, Purpose::svg}));
  EXPECT_EQ(fork->worker, 7U);
  EXPECT_EQ(fork->purpose, Purpose::svg);
  EXPECT_EQ(decode<Kill>(encode(Kill{8}))->worker, 8U);
  EXPECT_EQ(decode<Ping>(encode(Ping{9}))->number, 9U);
  EXPECT_EQ(decode<Pong>(encode(Pong{10}))->number, 10U);
  EXPECT_FALSE(decode<Ping>(encode(Pong{9})));
  EXPECT_EQ(decode<Output>(encode(Output{11}))->number, 11U);
  const auto forked = decode<Forked>(encode(Forked{9, 1234}));
  EXPECT_EQ(forked->worker, 9U);
  EXPECT_EQ(forked->pid, 1234U);
  const auto ended = decode<Ended>(encode(Ended{1, 31, 2}));
  EXPECT_EQ(ended->signal, 31U);
  EXPECT_EQ(ended->exit_code, 2U);
  const auto ready = decode<Ready>(encode(Ready{true, "no Landlock"}));
  EXPECT_TRUE(ready->usable);
  EXPECT_EQ(ready->report, "no Landlock");

  const auto answer = decode<Answer>(encode(full_answer()));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->reason, full_answer().reason);
  EXPECT_EQ(encode(*answer), encode(full_answer()));
}

TEST(WireTest, AJobTravelsWhole) {
  const Job sent = full_job();
  const auto got = decode<Job>(encode(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->number, sent.number);
  EXPECT_EQ(got->picture, sent.picture);
  EXPECT_TRUE(got->job.bytes.empty());
  EXPECT_EQ(got->job.format, sent.job.format);
  EXPECT_EQ(got->job.layout.format, image::BandFormat::int64);
  EXPECT_EQ(got->job.layout.pixel_bytes(), sent.job.layout.pixel_bytes());
  EXPECT_EQ(got->job.layout.offset, 128U);
  EXPECT_TRUE(got->job.layout.big_endian && got->job.layout.planar && got->job.layout.fortran_order);
  EXPECT_EQ(got->job.settings.height, 4'000'000'000);
  EXPECT_EQ(got->job.settings.range.low, -1.5);
  EXPECT_EQ(got->job.settings.fps, 12.5);
  EXPECT_EQ(got->job.settings.page, 3U);
  EXPECT_EQ(got->job.limits.max_frames, 2U);
  EXPECT_EQ(got->job.limits.max_output_bytes, 4U);
  // Whatever field was forgotten above: the bytes are the same.
  EXPECT_EQ(encode(*got), encode(sent));
}

TEST(WireTest, APictureInAMessageHasABound) {
  Job job = full_job();
  job.picture = std::string(kMaxInline, 'x');
  EXPECT_LE(encode(job).size(), kMaxWithPicture);
  EXPECT_EQ(decode<Job>(encode(job))->picture, job.picture);
  job.picture += 'x';
  EXPECT_FALSE(decode<Job>(encode(job)));
  Answer answer = full_answer();
  answer.picture = std::string(kMaxInline + 1, 'x');
  EXPECT_FALSE(decode<Answer>(encode(answer)));
}

TEST(WireTest, ABytesOfAJobStayHome) {
  Job job = full_job();
  job.job.bytes = "the picture";
  EXPECT_EQ(encode(job), encode(full_job()));
}

TEST(WireTest, TruncatedOrLongerMessagesAreRefused) {
  const std::string job = encode(full_job());
  const std::string answer = encode(full_answer());
  for (std::size_t size = 0; size < job.size(); ++size) EXPECT_FALSE(decode<Job>(job.substr(0, size)));
  for (std::size_t size = 0; size < answer.size(); ++size)
    EXPECT_FALSE(decode<Answer>(answer.substr(0, size)));
  EXPECT_FALSE(decode<Job>(job + '\0'));
  EXPECT_FALSE(decode<Answer>(answer + "x"));
  EXPECT_FALSE(decode<Answer>(answer + answer));
}

TEST(WireTest, OneKindIsNotTakenForAnother) {
  EXPECT_FALSE(decode<Kill>(encode(Fork{7, Purpose::picture})));
  EXPECT_FALSE(decode<Answer>(encode(full_job())));
  EXPECT_FALSE(decode<Job>(encode(full_answer())));
  EXPECT_FALSE(decode<Hello>(""));
}

TEST(WireTest, ChoicesAndFlagsBeyondTheirLastAreRefused) {
  std::string fork = encode(Fork{7, Purpose::svg});
  fork.back() = static_cast<char>(kPurposes);
  EXPECT_FALSE(decode<Fork>(fork));
  std::string answer = encode(full_answer());
  answer.back() = 2;  // retire
  EXPECT_FALSE(decode<Answer>(answer));
  answer = encode(full_answer());
  // A worker is never itself timeout, crashed or violated: that is for the front to say.
  answer[9] = static_cast<char>(Status::timeout);
  EXPECT_FALSE(decode<Answer>(answer));
  std::string job = encode(full_job());
  job[21 + full_job().picture.size()] = static_cast<char>(Format::jp2) + 1;
  EXPECT_FALSE(decode<Job>(job));
}

TEST(WireTest, LongTextsAreCutWhenWrittenAndRefusedWhenRead) {
  Ready ready{false, std::string(100'000, 'x')};
  const std::string bytes = encode(ready);
  EXPECT_LE(bytes.size(), kMaxMessage);
  EXPECT_EQ(decode<Ready>(bytes)->report.size(), kMaxText);
  std::string longer = bytes + "y";
  longer[2] = static_cast<char>((kMaxText + 1) & 0xFF);
  longer[3] = static_cast<char>((kMaxText + 1) >> 8);
  EXPECT_FALSE(decode<Ready>(longer));
}

TEST(WireTest, TheLargestMessageFits) {
  Answer answer = full_answer();
  answer.reason = std::string(kMaxText, 'r');
  EXPECT_LE(encode(answer).size(), kMaxMessage);
  EXPECT_LE(encode(full_job()).size(), kMaxMessage);
  EXPECT_FALSE(decode<Hello>(std::string(kMaxWithPicture + 1, '\1')));
}

TEST(WireTest, RandomBytesAreReadOnlyAsWhatTheyWouldBeWrittenAs) {
  std::mt19937 random(20240501);
  const std::string job = encode(full_job());
  const std::string answer = encode(full_answer());
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes = round % 2 == 0 ? job : answer;
    for (unsigned flips = 1 + random() % 4; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (const auto read = decode<Job>(bytes)) {
      EXPECT_EQ(encode(*read), bytes);
    }
    if (const auto read = decode<Answer>(bytes)) {
      EXPECT_EQ(encode(*read), bytes);
    }
  }
}

TEST(WireTest, RiskyFormatsHaveWorkersOfTheirOwn) {
  EXPECT_EQ(purpose_of(Format::svg), Purpose::svg);
  EXPECT_EQ(purpose_of(Format::tiff), Purpose::tiff);
  EXPECT_EQ(purpose_of(Format::heif), Purpose::heif);
  EXPECT_EQ(purpose_of(Format::avif), Purpose::heif);
  for (const Format format : {Format::png, Format::raw, Format::unknown, Format::jxl})
    EXPECT_EQ(purpose_of(format), Purpose::picture);
}

}  // namespace
}  // namespace pixmilter::worker::wire
