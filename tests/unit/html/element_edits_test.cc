#include "html/element_edits.h"

#include <gtest/gtest.h>

namespace pixmilter::html {
namespace {

// The text after edits, where references whose URL begins with "x" go and those with "t" are told of.
std::string edited(std::string text) {
  const Scan found = scan(text);
  std::vector<Fate> fates(found.references.size());
  for (std::size_t i = 0; i < fates.size(); ++i) {
    std::string scratch;
    const std::string_view address = url(found.references[i], scratch);
    if (address.starts_with("x")) fates[i].kind = Fate::Kind::goes;
    if (address.starts_with("t")) fates[i] = {Fate::Kind::told, "gone"};
  }
  const std::vector<ElementEdit> edits = element_edits(text, found.references, fates);
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    EXPECT_TRUE(edit == edits.rbegin() || edit->range.end <= (edit - 1)->range.begin);
    text.replace(edit->range.begin, edit->range.size(), edit->replacement);
  }
  return text;
}

TEST(ElementEdits, WhatGoesLeavesValidHtml) {
  const std::pair<const char*, const char*> cases[] = {
      {"a<img src=x1>b", "ab"},
      {"a<IMG\n SRC = 'x1' alt=\"b > c\"/>b", "ab"},
      {"a<image src=x1>b", "ab"},
      {"<input type=image src=x1><input type=text src=x1>", "<input type=text src=x1>"},
      {"<td class=a background=x1 id=b>", "<td class=a id=b>"},
      {"<td background='x1'>", "<td>"},
      {"<td background='x1'class=a>", "<td class=a>"},
      {"<body background=\"x1\" style=\"background: url(x2)\">", "<body style=\"background: none\">"},
      {"<p style='background: url(x1), url(y)'>", "<p style='background: none, url(y)'>"},
      {"<style>p { background: url(\"x1\") } q { background: url(y) }</style>",
       "<style>p { background: none } q { background: url(y) }</style>"},
      {"<img src=y srcset='x1 1x, x2 2x'>", "<img src=y>"},
      {"<img srcset='x1 1x, x2 2x'>a", "a"},
      {"<img src=y srcset='x1 1x, y2 2x, y3 3x'>", "<img src=y srcset='y2 2x, y3 3x'>"},
      {"<img src=y srcset='y1 1x, x2 2x, y3 3x'>", "<img src=y srcset='y1 1x, y3 3x'>"},
      {"<img src=y srcset='y1 1x, x2 2x, x3 3x '>", "<img src=y srcset='y1 1x'>"},
      {"<img src=x1 srcset='y1 1x, y2 2x' style='background: url(y)'>a", "a"},
      {"<picture><source srcset=x1><img src=y></picture>", "<picture><img src=y></picture>"},
      {"<!--[if mso]><v:fill src='x1'/>a<![endif]-->", "<!--[if mso]>a<![endif]-->"},
      {"<!--[if mso]><v:fill src='x1'> </v:fill>a<![endif]-->", "<!--[if mso]>a<![endif]-->"},
      {"<!--[if mso]><v:imagedata src='x1'>a</v:imagedata><![endif]-->",
       "<!--[if mso]>a</v:imagedata><![endif]-->"},
      {"<!-- <img src=x1> --><a href=x1>a</a>", "<!-- <img src=x1> --><a href=x1>a</a>"},
  };
  for (const auto& [before, after] : cases) EXPECT_EQ(edited(before), after) << before;
}

TEST(ElementEdits, AltSaysWhatTheSenderSaidAndWhy) {
  const std::pair<const char*, const char*> cases[] = {
      {"<img src=t1>", "<img alt=\"gone\" src=t1>"},
      {"<img src=t1 alt>", "<img src=t1 alt=\"gone\">"},
      {"<img src=t1 alt=''>", "<img src=t1 alt='gone'>"},
      {"<img src=t1 alt='a b'>", "<img src=t1 alt='a b - gone'>"},
      {"<img alt=a src=t1>", "<img alt=\"a - gone\" src=t1>"},
      {"<img src=y srcset='t1 2x'>", "<img src=y srcset='t1 2x'>"},
      {"<img srcset='t1 2x'>", "<img alt=\"gone\" srcset='t1 2x'>"},
      {"<td background=t1>", "<td background=t1>"},
      {"<img src=x1><img src=t1>", "<img alt=\"gone\" src=t1>"},
  };
  for (const auto& [before, after] : cases) EXPECT_EQ(edited(before), after) << before;
}

TEST(ElementEdits, ReasonsAreAsciiWhateverTheyHold) {
  EXPECT_EQ(with_alt("<img src=\"a\" alt=\"\">", "\xC3\x9F <\"'&\xF0\x9F\x98\x80\xFF"),
            "<img src=\"a\" alt=\"&#223; &#60;&#34;&#39;&#38;&#128512;&#65533;\">");
  EXPECT_EQ(with_alt("<img src=\"a\" alt=\"b\">", "c"), "<img src=\"a\" alt=\"b - c\">");
}

}  // namespace
}  // namespace pixmilter::html
