// What deflate_runs() writes is what zlib reads back; Huffman codes keep their limits.
#include "render/run_deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "render/huffman.h"

namespace pixmilter::render {
namespace {

// Several results behind each other and an empty last block, read by zlib.
std::string inflated(const std::string& deflated, std::size_t size) {
  std::string whole = deflated + std::string("\x03\x00", 2);
  std::string out(size + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, -15), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(whole.data());
  stream.avail_in = static_cast<uInt>(whole.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END) << (stream.msg ? stream.msg : "");
  EXPECT_EQ(stream.avail_in, 0u);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

std::string deflated(const std::string& bytes) {
  std::vector<std::uint8_t> out(deflate_runs_bound(bytes.size()), 0xEE);
  const std::size_t size =
      deflate_runs(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), out.data());
  EXPECT_LE(size, out.size());
  return std::string(reinterpret_cast<const char*>(out.data()), size);
}

TEST(RunDeflate, IsReadBackByZlib) {
  std::mt19937 random(3);
  std::string all;
  std::string all_deflated;
  for (int i = 0; i < 400; ++i) {
    const std::size_t size = random() % (i % 10 ? 900 : 200'000) + (i % 7 ? 1 : 0);
    const auto values = static_cast<std::uint32_t>(random() % 256 + 1);
    const auto stay = static_cast<std::uint32_t>(random() % 600 + 1);  // how long a run lasts, about
    std::string bytes;
    while (bytes.size() < size) {
      const char byte = static_cast<char>(random() % values);
      bytes.append(i % 3 ? random() % stay + 1 : 1, byte);
    }
    bytes.resize(size);
    const std::string once = deflated(bytes);
    ASSERT_EQ(inflated(once, size), bytes) << i;
    EXPECT_EQ(once, deflated(bytes));
    if (i % 10) all += bytes, all_deflated += once;
  }
  EXPECT_EQ(inflated(all_deflated, all.size()), all);
}

TEST(RunDeflate, TellsEveryLengthOfARun) {
  for (std::size_t length = 1; length < 1100; ++length) {
    const std::string bytes = "ab" + std::string(length, 'c') + "de";
    ASSERT_EQ(inflated(deflated(bytes), bytes.size()), bytes) << length;
  }
  const std::string flat(500'000, '\0');
  EXPECT_LT(deflated(flat).size(), 1500u);
  EXPECT_EQ(inflated(deflated(flat), flat.size()), flat);
}

TEST(RunDeflate, StoresWhatDoesNotShrink) {
  std::mt19937 random(4);
  std::string noise;
  while (noise.size() < 150'000) noise += static_cast<char>(random());
  EXPECT_LE(deflated(noise).size(), noise.size() + 20);
  EXPECT_EQ(inflated(deflated(noise), noise.size()), noise);
}

double room(const std::vector<std::uint8_t>& lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), 0.0, [](double sum, int length) {
    return length ? sum + std::ldexp(1.0, -length) : sum;
  });
}

TEST(Huffman, FillsItsRoomWithinTheLimit) {
  // Fibonacci's numbers make the deepest tree there is.
  std::vector<std::uint32_t> counts = {1, 1};
  while (counts.size() < 30) counts.push_back(counts[counts.size() - 1] + counts[counts.size() - 2]);
  std::vector<std::uint8_t> lengths(counts.size());
  for (unsigned limit = 5; limit <= 15; ++limit) {
    huffman_lengths(counts, limit, lengths);
    EXPECT_EQ(room(lengths), 1) << limit;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      EXPECT_GE(lengths[i], 1);
      EXPECT_LE(lengths[i], limit);
      EXPECT_LE(lengths[i], lengths[i > 0 ? i - 1 : 0]);
    }
  }
}

TEST(Huffman, TakesAsLittleAsTheBestCode) {
  const std::vector<std::uint32_t> counts = {0, 5, 9, 12, 13, 16, 45, 0};
  std::vector<std::uint8_t> lengths(counts.size());
  huffman_lengths(counts, 15, lengths);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) bits += counts[i] * lengths[i];
  EXPECT_EQ(bits, 224u);
  EXPECT_EQ(lengths[0], 0);
  std::vector<std::uint8_t> one(4);
  huffman_lengths(std::vector<std::uint32_t>{0, 0, 3, 0}, 15, one);
  EXPECT_EQ(one, (std::vector<std::uint8_t>{0, 0, 1, 0}));
}

TEST(Huffman, NumbersCodesAsTheStandardDoes) {
  // RFC 1951, 3.2.2: the example, its codes turned round.
  const std::vector<std::uint8_t> lengths = {3, 3, 3, 3, 3, 2, 4, 4};
  std::vector<std::uint16_t> codes(lengths.size());
  huffman_codes(lengths, codes);
  EXPECT_EQ(codes, (std::vector<std::uint16_t>{0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111}));
}

}  // namespace
}  // namespace pixmilter::render
