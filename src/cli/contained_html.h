// contained_html: a message's HTML as a mail client would show it, made so that it can do nothing.
//
// A page that an administrator opens shows mail of strangers. Three walls stand between: only elements and
// attributes of a list get through, each written anew (this file); the document's own Content-Security-Policy
// allows data: images and style, nothing else; and the page puts it into <iframe sandbox="">.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace pixmilter::cli {

// Why a picture is a hole. The word ends up in the document, for its style.
enum class Hole {
  blocked,  // a data: URI or inline <svg>: mail clients take them out
  remote,   // a link: shown when the recipient loads remote pictures
  missing,  // cid: of no part, or of one in a format that mail clients do not show
  large,    // too large for the page
};

// The picture behind a cid:, already as a data: URI of a format that mail clients show; else the hole.
struct Shown {
  std::string uri;
  Hole hole = Hole::missing;
  double height = 0;  // CSS px where known
};
using PictureOf = std::function<Shown(std::string_view content_id)>;

struct ContainedHtml {
  std::string document;      // UTF-8, complete with its policy
  std::size_t holes = 0;     // places that show no picture
  std::size_t pictures = 0;  // places that show one
  double height = 0;         // CSS px, a guess
  bool cut = false;          // the text was longer than kMaxShownHtml
};

// Bytes of one text that are shown; the pictures in it come on top.
inline constexpr std::size_t kMaxShownHtml = 2 << 20;

// html: UTF-8. Takes time linear in the text.
ContainedHtml contained_html(std::string_view html, const PictureOf& picture_of);

// As it may stand in an element or in a quoted attribute: no markup, no control characters, valid UTF-8.
std::string escaped(std::string_view text);

}  // namespace pixmilter::cli
