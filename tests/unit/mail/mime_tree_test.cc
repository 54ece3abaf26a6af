#include "mail/mime_tree.h"

#include <gtest/gtest.h>

#include "base/ascii.h"

namespace pixmilter::mail {
namespace {

class MimeTreeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_mime(); }

  static std::string crlf(std::string_view text) {
    std::string out;
    for (const char c : text) out.append(c == '\n' ? "\r\n" : std::string(1, c));
    return out;
  }
  // Both with LF and with CRLF; the error text or "".
  static std::string error_of(const std::string& text) {
    const Message lf(text), cr(crlf(text));
    const Result<MimeTree> a = MimeTree::parse(lf), b = MimeTree::parse(cr);
    EXPECT_EQ(a.ok(), b.ok()) << text;
    return a.ok() ? std::string() : a.error().text;
  }
  static std::string body(const Message& message, const Part& part) {
    return message.bytes().substr(part.body.begin, part.body.size());
  }
};

const char kNested[] =
    "From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"outer\"\n\n"
    "preamble\n"
    "--outer\n"
    "Content-Type: multipart/alternative;\n boundary=inner\n\n"
    "--inner\n"
    "\nplain\n"
    "--inner  \n"
    "Content-Type: TEXT/HTML; charset=utf-8\nContent-Transfer-Encoding: Quoted-Printable\n\n<b>=41</b>\n"
    "--inner--\n"
    "--outer\n"
    "Content-Type: application/x-npy; name*=UTF-8''f%C3%BC.npy\nContent-ID: <x@y>\n"
    "Content-Disposition: attachment; filename=f.npy\n\n\n"
    "--outer--\nepilogue\n";

TEST_F(MimeTreeTest, TheLastDelimiterMayEndTheMessageWithoutALineEnd) {
  std::string text =
      "From: a@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--";
  for (const std::string& form : {text, crlf(text)}) {
    const Message message(form);
    const Result<MimeTree> tree = MimeTree::parse(message);
    ASSERT_TRUE(tree) << tree.error().text;
    ASSERT_EQ(tree->size(), 3u);
    EXPECT_EQ(body(message, (*tree)[1]), "one");
    EXPECT_EQ(body(message, (*tree)[2]), "two");
  }
}

TEST_F(MimeTreeTest, OffsetsOfEveryPart) {
  for (const std::string& text : {std::string(kNested), crlf(kNested)}) {
    const Message message(text);
    const Result<MimeTree> tree = MimeTree::parse(message);
    ASSERT_TRUE(tree) << tree.error().text;
    ASSERT_EQ(tree->size(), 5u);
    const std::string eol(message.eol());
    EXPECT_EQ((*tree)[0].type, "multipart/mixed");
    EXPECT_EQ((*tree)[0].boundary, "outer");
    EXPECT_EQ((*tree)[0].delimiters.size(), 3u);
    EXPECT_EQ((*tree)[2].type, "text/plain");
    EXPECT_EQ(body(message, (*tree)[2]), "plain");
    EXPECT_EQ((*tree)[3].type, "text/html");
    EXPECT_EQ((*tree)[3].encoding, Encoding::quoted_printable);
    EXPECT_EQ(body(message, (*tree)[3]), "<b>=41</b>");
    EXPECT_EQ(decoded_body(message, (*tree)[3]), "<b>A</b>");
    EXPECT_EQ((*tree)[4].content_id, "x@y");
    EXPECT_EQ((*tree)[4].filename, "f.npy");
    EXPECT_EQ(*(*tree)[4].parameter("name"), "f\xC3\xBC.npy");
    EXPECT_TRUE((*tree)[4].is_attachment());
    EXPECT_EQ(body(message, (*tree)[4]), "");
    EXPECT_EQ(tree->number(3), "1.2");
    EXPECT_EQ(tree->number(0), "");
  }
}

TEST_F(MimeTreeTest, SinglePart) {
  const Message message("Content-Type: text/html\r\n\r\n<p>\r\n");
  const Result<MimeTree> tree = MimeTree::parse(message);
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree->size(), 1u);
  EXPECT_EQ(body(message, (*tree)[0]), "<p>\r\n");
}

std::string multipart(const std::string& content_type, const std::string& body) {
  return "MIME-Version: 1.0\nContent-Type: " + content_type + "\n\n" + body;
}

TEST_F(MimeTreeTest, WhatTwoReadersCouldTakeInTwoWaysIsAmbiguous) {
  const std::string part = "\nx\n";
  const std::string good = "--b\n" + part + "--b--\n";
  EXPECT_EQ(error_of(multipart("multipart/mixed; boundary=b", good)), "");
  const std::pair<const char*, std::string> cases[] = {
      {"ambiguous: repeated Content-Type", "Content-Type: text/plain\nContent-Type: text/html\n\nx\n"},
      {"ambiguous: repeated boundary parameter", multipart("multipart/mixed; boundary=b; boundary=c", good)},
      {"ambiguous: encoded boundary parameter", multipart("multipart/mixed; boundary*=us-ascii''b", good)},
      {"ambiguous: encoded boundary parameter",
       multipart("multipart/mixed; boundary*0=b; boundary*1=c", good)},
      {"ambiguous: encoded boundary parameter",
       multipart("multipart/mixed; boundary=\"=?utf-8?q?b?=\"", good)},
      {"ambiguous: multipart without boundary", multipart("multipart/mixed", good)},
      {"ambiguous: NUL byte", multipart("multipart/mixed; boundary=b", good + std::string(1, '\0'))},
      {"ambiguous: line that begins like a boundary",
       multipart("multipart/mixed; boundary=b", "--b\n\n--bx\n--b--\n")},
      {"ambiguous: multipart without its closing boundary",
       multipart("multipart/mixed; boundary=b", "--b\n\nx\n")},
      {"ambiguous: boundary line after the closing one",
       multipart("multipart/mixed; boundary=b", good + "--b\n\nx\n--b--\n")},
      {"ambiguous: multipart with an encoding of its own",
       "Content-Transfer-Encoding: base64\n" + multipart("multipart/mixed; boundary=b", good)},
      {"ambiguous: boundary that prefixes its parent's",
       multipart("multipart/mixed; boundary=abc",
                 "--abc\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\nx\n--ab--\n--abc--\n")},
      {"ambiguous: white space before the colon of Content-Type", "Content-Type : text/html\n\nx\n"},
      {"ambiguous: malformed header of a part",
       multipart("multipart/mixed; boundary=b", "--b\nContent-Type: text/html\nrubbish\n\nx\n--b--\n")},
      {"ambiguous: malformed Content-Type", multipart("multipart/mixed; boundary=\"b", good)},
  };
  for (const auto& [expected, text] : cases) EXPECT_EQ(error_of(text), expected) << text;
}

TEST_F(MimeTreeTest, MixedLineEndsAreAmbiguous) {
  for (const char* text :
       {"A: 1\r\nB: 2\n\r\nx\r\n", "A: 1\r\n\r\nx\ry\r\n", "A: 1\n\nx\r\n", "A: 1\n\nx\ry\n"}) {
    const Message message(text);
    EXPECT_FALSE(MimeTree::parse(message)) << text;
  }
}

TEST_F(MimeTreeTest, DepthAndCountAreBounded) {
  std::string text, tail;
  for (int i = 0; i < 200; ++i) {
    const std::string boundary = "b" + std::to_string(1000 + i) + "e";
    text += "Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary + "\n";
    tail = "\n--" + boundary + "--" + tail;
  }
  const Message deep(text + "\nx" + tail + "\n");
  EXPECT_FALSE(MimeTree::parse(deep));
  std::string wide = "Content-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 11'000; ++i) wide += "--b\n\nx\n";
  const Message many(wide + "--b--\n");
  EXPECT_FALSE(MimeTree::parse(many));
}

TEST_F(MimeTreeTest, EmbeddedMessagesAreLeaves) {
  const Message message(multipart("multipart/mixed; boundary=b",
                                  "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; "
                                  "boundary=c\n\n--c\n\nx\n--c--\n\n--b--\n"));
  const Result<MimeTree> tree = MimeTree::parse(message);
  ASSERT_TRUE(tree) << tree.error().text;
  ASSERT_EQ(tree->size(), 2u);
  EXPECT_EQ((*tree)[1].type, "message/rfc822");
}

// Long stretches of a body are not shown to GMime; where parts lie is the same.
TEST(MimeTree, LongBodiesLieWhereTheyDo) {
  initialise_mime();
  for (const std::size_t lines : {1u, 30u, 53u, 54u, 110u, 200u, 5000u}) {
    std::string body;
    for (std::size_t i = 0; i < lines; ++i)
      body += (i % 9 == 3    ? "- A:"
               : i % 11 == 3 ? "-- b"
                             : "AAAA") +
              std::string(71, 'A') + (i % 7 == 0 ? "\r\n\r\n" : "B\r\n");
    const std::string head = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + body;
    const std::string part = "--b\r\nContent-Type: image/png\r\n\r\n";
    const Message message(head + part + body + part + body + "--b--\r\n" + body);
    const Result<MimeTree> tree = MimeTree::parse(message);
    ASSERT_TRUE(tree) << lines << tree.error().text;
    ASSERT_EQ(tree->size(), 3u);
    const std::size_t first = head.size() + part.size();
    EXPECT_EQ((*tree)[1].body.begin, first);
    EXPECT_EQ((*tree)[1].body.end, first + body.size() - 2);
    EXPECT_EQ((*tree)[2].body.begin, first + body.size() + part.size());
    EXPECT_EQ((*tree)[2].body.end, first + 2 * body.size() + part.size() - 2);
  }
}

TEST(MimeTree, LongFieldsAreReadWhole) {
  initialise_mime();
  std::string name;
  for (int i = 0; i < 300; ++i) name += "\r\n " + std::string(60, static_cast<char>('a' + i % 26));
  const Message message("MIME-Version: 1.0\r\nContent-Type: image/png; x=y; name=\"" + name +
                        "\"\r\n\r\nabc\r\n");
  const Result<MimeTree> tree = MimeTree::parse(message);
  ASSERT_TRUE(tree) << tree.error().text;
  ASSERT_NE((*tree)[0].parameter("name"), nullptr);
  EXPECT_GT((*tree)[0].parameter("name")->size(), 300u * 60);
}

}  // namespace
}  // namespace pixmilter::mail
