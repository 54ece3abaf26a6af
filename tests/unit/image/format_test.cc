#include "image/format.h"

#include <gtest/gtest.h>

#include <string>

#include "image/job.h"

namespace pixmilter::image {
namespace {
using namespace std::string_literals;

std::string ftyp(std::string major, std::string compatible) {
  std::string box = "ftyp" + major + std::string(4, '\0') + compatible;
  std::string size(4, '\0');
  size[3] = static_cast<char>(box.size() + 4);
  return size + box;
}
std::string utf16(std::string_view text, bool big) {
  std::string out = big ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : text) big ? (out += '\0', out += c) : (out += c, out += '\0');
  return out;
}

TEST(Sniff, KnowsFormatsByTheirFirstBytes) {
  EXPECT_EQ(sniff("\x89PNG\r\n\x1A\n"), Format::png);
  EXPECT_EQ(sniff("\xFF\xD8\xFF\xE0"), Format::jpeg);
  EXPECT_EQ(sniff("GIF89a"), Format::gif);
  EXPECT_EQ(sniff("RIFF\x10\0\0\0WEBPVP8 "s), Format::webp);
  EXPECT_EQ(sniff("RIFF\x10\0\0\0WAVEfmt "s), Format::unknown);
  for (const auto& head : {"II*\0"s, "MM\0*"s, "II+\0"s, "MM\0+"s}) EXPECT_EQ(sniff(head), Format::tiff);
  EXPECT_EQ(sniff("\x93NUMPY\1\0"s), Format::npy);
  EXPECT_EQ(sniff("\xFF\x0A\xFA"), Format::jxl);
  EXPECT_EQ(sniff("\0\0\0\x0CJXL \r\n\x87\n"s), Format::jxl);
  EXPECT_EQ(sniff("\0\0\0\x0CjP  \r\n\x87\n"s), Format::jp2);
  EXPECT_EQ(sniff("\xFF\x4F\xFF\x51"), Format::jp2);
  EXPECT_EQ(sniff(""), Format::unknown);
  EXPECT_EQ(sniff("hello"), Format::unknown);
}

TEST(Sniff, TellsAvifFromHeicByBrands) {
  EXPECT_EQ(sniff(ftyp("avif", "mif1miaf")), Format::avif);
  EXPECT_EQ(sniff(ftyp("heic", "mif1avif")), Format::heif);
  EXPECT_EQ(sniff(ftyp("mif1", "mif1avif")), Format::avif);
  EXPECT_EQ(sniff(ftyp("mif1", "mif1heic")), Format::heif);
  EXPECT_EQ(sniff(ftyp("msf1", "hevc")), Format::heif);
  EXPECT_EQ(sniff(ftyp("isom", "mp42")), Format::unknown);
  EXPECT_EQ(sniff("\0\0\0\x18"
                  "ftyp"s),
            Format::unknown);
}

TEST(Sniff, KnowsSvgByItsFirstElement) {
  for (const char* text :
       {"<svg/>", "<svg>", "  \n<svg width='1'>", "\xEF\xBB\xBF<svg>", "<?xml version='1.0'?><svg>",
        "<?xml version='1.0'?>\n<!-- <html> --><svg>", "<s:svg xmlns:s='x'>",
        "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://x/>\"><svg>",
        "<!DOCTYPE svg [ <!ENTITY a \"]>\"> <!-- ]> ' --> ]>\n<svg>"})
    EXPECT_EQ(sniff(text), Format::svg) << text;
  for (const char* text :
       {"<html><svg>", "svg", "<svgx>", "<!-- <svg>", "<?xml", "<!DOCTYPE svg [<svg>", "<", "< svg>"})
    EXPECT_EQ(sniff(text), Format::unknown) << text;
  EXPECT_EQ(sniff(utf16("<?xml?><svg>", true)), Format::svg);
  EXPECT_EQ(sniff(utf16("<?xml?><svg>", false)), Format::svg);
  EXPECT_EQ(sniff(utf16("<html>", false)), Format::unknown);
}

TEST(Sniff, WantsMoreThanTwoLettersOfBmpAndNetpbm) {
  std::string bmp = "BM" + std::string(24, '\0');
  bmp[14] = 40;
  EXPECT_EQ(sniff(bmp), Format::bmp);
  EXPECT_EQ(sniff("BMW makes cars, they say"), Format::unknown);
  for (const char* text : {"P1\n", "P2#", "P3 ", "P4\t", "P5\r\n", "P6\n"})
    EXPECT_EQ(sniff(text), Format::pnm);
  EXPECT_EQ(sniff("PF\n1 1\n"), Format::pfm);
  EXPECT_EQ(sniff("Pf\n1 1\n"), Format::pfm);
  EXPECT_EQ(sniff("P7\nWIDTH 1\n"), Format::pam);
  for (const char* text : {"P7 332", "P8\n", "P1x", "PX\n", "P6"})
    EXPECT_EQ(sniff(text), Format::unknown) << text;
}

TEST(Sniff, NeverReadsPastAnyPrefix) {
  const std::string whole[] = {ftyp("mif1", "mif1avif"), utf16("<?xml?><!--x--><svg>", true),
                               "<!DOCTYPE svg [ <!ENTITY a 'b'> ]><svg>"};
  for (const std::string& bytes : whole)
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      const std::string exact(bytes, 0, size);  // a buffer of its own, for the address sanitizer
      (void)sniff(exact);
    }
}

TEST(Format, WordsAgreeWithTheEnumeration) {
  EXPECT_EQ(name(Format::jp2), "jp2");
  EXPECT_EQ(media_type(Format::svg), "image/svg+xml");
  EXPECT_EQ(extension(Format::jpeg), "jpg");
  EXPECT_EQ(media_type(Format::raw), "image/x-raw-pixels");
  EXPECT_TRUE(shown_everywhere(Format::gif));
  EXPECT_FALSE(shown_everywhere(Format::webp));
  EXPECT_EQ(name(Status::violated), "violated");
  EXPECT_EQ(sample_bytes(BandFormat::half), 2u);
  EXPECT_EQ(sample_bytes(BandFormat::int64), 8u);
}

}  // namespace
}  // namespace pixmilter::image
