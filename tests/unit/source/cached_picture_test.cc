#include "source/cached_picture.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/base64.h"

namespace pixmilter::source {
namespace {

std::string big32(std::uint32_t n) {
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
          static_cast<char>(n)};
}
std::string chunk(const std::string& type, const std::string& data) {
  return big32(static_cast<std::uint32_t>(data.size())) + type + data + "crc!";
}

// A picture as far as check_picture looks, with so many bytes of data.
image::ImageResult png(std::size_t size, std::uint32_t width = 3) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string data;
  for (std::size_t i = 0; i < size; ++i) data.push_back(static_cast<char>(random()));
  image::ImageResult result;
  result.status = image::Status::ok;
  result.bytes = "\x89PNG\r\n\x1a\n" +
                 chunk("IHDR", big32(width) + big32(2) + std::string("\x08\x02\0\0\0", 5)) +
                 chunk("IDAT", data) + chunk("IEND", "");
  result.format = image::Format::png;
  result.width = width;
  result.height = 2;
  return result;
}

const Digest kKey = sha256("key");

TEST(CachedPicture, GivesTheSameLinesAsEncoding) {
  for (const std::size_t size : {1u, 2u, 3u, 56u, 57u, 58u, 59u, 60u, 113u, 114u, 5'000u}) {
    const image::ImageResult result = png(size);
    const CachedPicturePtr picture = cached_picture(result);
    ASSERT_NE(picture, nullptr);
    EXPECT_EQ(picture->bytes, result.bytes.size());
    EXPECT_EQ(picture->digest, sha256(result.bytes));
    EXPECT_EQ(decoded(*picture), result.bytes);
    for (const std::string eol : {"\r\n", "\n"}) {
      std::string expected, lines = "before";
      base64::encode_lines(result.bytes, eol, expected);
      append_lines(*picture, eol, lines);
      EXPECT_EQ(lines, "before" + expected);
      EXPECT_TRUE(holds_lines(expected, *picture, eol));
      EXPECT_TRUE(holds_lines(expected.substr(0, expected.size() - eol.size()), *picture, eol));
      EXPECT_FALSE(holds_lines(expected + eol, *picture, eol));
      EXPECT_FALSE(holds_lines(expected + "A", *picture, eol));
      EXPECT_FALSE(holds_lines("", *picture, eol));
      for (std::size_t at = 0; at < expected.size() - eol.size(); at += 1 + expected.size() / 50) {
        std::string other = expected;
        other[at] = other[at] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(holds_lines(other, *picture, eol)) << at;
        EXPECT_FALSE(holds_lines(expected.substr(0, at), *picture, eol)) << at;
      }
    }
  }
}

TEST(CachedPicture, CountsWhatItTakes) {
  const CachedPicturePtr picture = cached_picture(png(10'000));
  EXPECT_GE(footprint(*picture), picture->lines.size() + sizeof(CachedPicture));
  EXPECT_LT(footprint(*picture), picture->lines.size() + 400);
}

TEST(CachedPicture, EntryComesBackTheSame) {
  const CachedPicturePtr picture = cached_picture(png(5'000));
  const auto read = read_entry(kKey, write_entry(kKey, *picture), 6);
  ASSERT_TRUE(read.ok()) << read.error().text;
  EXPECT_EQ((*read)->format, image::Format::png);
  EXPECT_EQ((*read)->width, 3u);
  EXPECT_EQ((*read)->height, 2u);
  EXPECT_EQ((*read)->frames, 1u);
  EXPECT_EQ((*read)->bytes, picture->bytes);
  EXPECT_EQ((*read)->digest, picture->digest);
  EXPECT_EQ((*read)->lines, picture->lines);
}

TEST(CachedPicture, NoChangedEntryPasses) {
  const CachedPicturePtr picture = cached_picture(png(200));
  const std::string entry = write_entry(kKey, *picture);
  for (std::size_t at = 0; at < entry.size(); ++at) {
    std::string changed = entry;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(read_entry(kKey, changed, 1'000).ok()) << at;
    EXPECT_FALSE(read_entry(kKey, entry.substr(0, at), 1'000).ok()) << at;
  }
  EXPECT_FALSE(read_entry(kKey, entry + "\r\n", 1'000).ok());
  EXPECT_FALSE(read_entry(sha256("another key"), entry, 1'000).ok());
  EXPECT_FALSE(read_entry(kKey, entry, 5).ok());
  EXPECT_FALSE(read_entry(kKey, "", 1'000).ok());
}

// Whoever writes entries knows how a checksum is made: what stands under it is looked at all the same.
TEST(CachedPicture, AGoodChecksumIsNotEnough) {
  const auto forged = [](CachedPicture picture, const std::string& bytes) {
    std::string lines;
    base64::encode_lines(bytes, "\r\n", lines);
    picture.lines = lines;
    return read_entry(kKey, write_entry(kKey, picture), 1'000'000);
  };
  const image::ImageResult result = png(100);
  const CachedPicture picture = *cached_picture(result);
  ASSERT_TRUE(forged(picture, result.bytes).ok());
  EXPECT_FALSE(forged(picture, "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>").ok());
  EXPECT_FALSE(forged(picture, result.bytes + "<script>").ok());
  EXPECT_FALSE(forged(picture, result.bytes.substr(0, 60)).ok());
  EXPECT_FALSE(forged(picture, png(100, 4).bytes).ok());
  CachedPicture other = picture;
  other.format = image::Format::gif;
  EXPECT_FALSE(forged(other, result.bytes).ok());
  // Lines that decode to the picture and hold something else besides.
  CachedPicture loose = picture;
  loose.lines.insert(76, "\r\n--boundary\r\n");
  EXPECT_FALSE(read_entry(kKey, write_entry(kKey, loose), 1'000'000).ok());
  loose = picture;
  loose.lines.insert(loose.lines.size() - 2, "\r\n.\r\nMAIL FROM:<>");
  EXPECT_FALSE(read_entry(kKey, write_entry(kKey, loose), 1'000'000).ok());
}

}  // namespace
}  // namespace pixmilter::source
