// Every spelling of data: URIs, and what is no readable one.
#include "source/data_uri.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pixmilter::source {
namespace {

std::string bytes(std::string_view url) {
  const Result<DataUri> read = read_data_uri(url);
  return read ? read->bytes : "error: " + read.error().text;
}

std::string type(std::string_view url) {
  const Result<DataUri> read = read_data_uri(url);
  return read ? read->media_type : "error: " + read.error().text;
}

TEST(DataUri, Scheme) {
  for (const std::string_view url : {"data:,", "DATA:x", " data:", "da\nta\t:x", "\r\nData:x"})
    EXPECT_TRUE(is_data_uri(url)) << url;
  for (const std::string_view url :
       {"", "data", "data ;x", "http://x/data:", "xdata:", "cid:data:", "da ta:"})
    EXPECT_FALSE(is_data_uri(url)) << url;
}

TEST(DataUri, Parameters) {
  const auto read = read_data_uri(
      "data:Application/X-Npy; Colormap=gray;\trange=\"1,2;3\";fps=%32;empty=;flag;base64;name=a%2Cb,SGk/");
  ASSERT_TRUE(read.ok());
  using Parameters = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(
      read->parameters,
      (Parameters{{"colormap", "gray"}, {"range", "1,2;3"}, {"fps", "2"}, {"empty", ""}, {"name", "a,b"}}));
  EXPECT_EQ(read->bytes, "Hi?");
  EXPECT_EQ(read_data_uri("data:,x")->parameters, Parameters());
}

TEST(DataUri, Base64InEverySpelling) {
  // "Hi?>~" is SGk/Pn4= : it has both of the letters that alphabets differ in further down.
  for (const std::string_view url :
       {"data:image/png;base64,SGk/Pn4=", "DATA:IMAGE/PNG;BASE64,SGk/Pn4=", "data:image/png;base64,SGk/Pn4",
        "data:image/png;base64,SGk_Pn4", "data:image/png;base64,SGk%2fPn4%3D",
        "data:image/png;base64,SG k/\r\n Pn4=\n", "data:image/png;base64,SG%20k/%0D%0APn4=",
        "data:image/png; base64 ,SGk/Pn4=", "data:image/png;base64;charset=utf-8,SGk/Pn4=",
        "data:image/png;charset=utf-8;base64,SGk/Pn4=", "data:image/png;name=\"a,b.png\";base64,SGk/Pn4=",
        "data:image/png;name=a.png;Base64,%20SGk/Pn4=", "\n data:image/png;base64,SGk/Pn4= ",
        "data:image/p\nng;ba\nse64,SGk/Pn4=", "data:image/png;base64,SGk/Pn4=#fragment",
        "data:image/png;base64,SGk/Pn4=\f"}) {
    EXPECT_EQ(bytes(url), "Hi?>~") << url;
    EXPECT_EQ(type(url), "image/png") << url;
  }
  EXPECT_EQ(bytes("data:;base64,-_8="), "\xFB\xFF");
  EXPECT_EQ(type("data:;base64,-_8="), "text/plain");
}

TEST(DataUri, PlainText) {
  const std::string svg = "<svg xmlns='http://www.w3.org/2000/svg'><path fill='#fff'/></svg>";
  EXPECT_EQ(bytes("data:image/svg+xml," + svg), svg);
  EXPECT_EQ(bytes("data:image/svg+xml;utf8," + svg), svg);
  EXPECT_EQ(bytes("data:image/svg+xml;charset=utf-8," + svg), svg);
  EXPECT_EQ(bytes("data:image/svg+xml;charset=UTF-8,%3Csvg%20fill='%23fff'/%3E"), "<svg fill='#fff'/>");
  EXPECT_EQ(bytes("data:image/svg+xml," + svg + "#a"), svg);
  EXPECT_EQ(bytes("data:image/svg+xml,%3csvg/%3e#a"), "<svg/>");
  EXPECT_EQ(bytes("data:image/svg+xml,<svg>\n<a/></svg>"), "<svg>\n<a/></svg>");
  EXPECT_EQ(bytes("data:,a#b"), "a");
  EXPECT_EQ(bytes("data:,100%zz%4"), "100%zz%4");
  EXPECT_EQ(bytes("data:image/gif,GIF89a%01%00"), std::string("GIF89a\1\0", 8));
}

TEST(DataUri, ErrorsSayWhat) {
  EXPECT_EQ(bytes("http://x"), "error: not a data: URI");
  EXPECT_EQ(bytes("data:image/png;base64"), "error: data: URI without a comma");
  EXPECT_EQ(bytes("data:image/png;base64,"), "error: data: URI with nothing in it");
  EXPECT_EQ(bytes("data:,"), "error: data: URI with nothing in it");
  for (const std::string_view payload : {"A", "AB!C", "A===", "AB=C", "AAAAA", "SGk/Pn4==="})
    EXPECT_EQ(bytes("data:;base64," + std::string(payload)), "error: data: URI with malformed base64")
        << payload;
}

TEST(DataUri, CleanPayloadNeedsNoDecoding) {
  const std::string url = "data:image/png;base64,SGk/Pn4=";
  const auto payload = clean_base64_payload(url);
  ASSERT_TRUE(payload);
  EXPECT_EQ(*payload, "SGk/Pn4=");
  EXPECT_EQ(payload->data(), url.data() + 22);
  const std::string large(8000, 'Q');
  EXPECT_EQ(clean_base64_payload("data:;base64," + large), large);
  for (const std::string_view bad :
       {"data:;base64,SGk/Pn4", "data:;base64,SGk_Pn4=", "data:;base64,SGk/Pn5=", "data:;base64,SGk/\nPn4=",
        "data:;base64,", "data:;base64,SGk/Pn4=#x", "data:,SGk/",
        "data:;base64,SGk%2FPn4=", "data:;base64,====", "data:;base64,A===", "x"})
    EXPECT_FALSE(clean_base64_payload(bad)) << bad;
  EXPECT_FALSE(clean_base64_payload("data:;base64," + large + "AAA!"));
}

}  // namespace
}  // namespace pixmilter::source
