// ClientView: what a mail client would show of a message: texts, pictures and files, in their order.
//
// The same reading serves the message as it came and as it would go out, so the difference between the two
// is what pixmilter does and nothing else. It reads like the careful clients: data: URIs and inline SVG are
// taken out, remote pictures not loaded, and only PNG, JPEG and GIF are shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mail/message.h"

namespace pixmilter::cli {

// How many bytes of pictures a page may still take. One picture may be named a thousand times.
class Room {
 public:
  explicit Room(std::size_t bytes) : left_(bytes) {}
  bool take(std::size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  std::size_t left_;
};

struct ViewBlock {
  enum class Kind : std::uint8_t {
    html,     // text: a whole document for a sandboxed frame
    plain,    // text: as it is, not escaped
    picture,  // text: a data: URI; empty where there was no room for it
  } kind = Kind::plain;
  std::string text;
  std::string name;   // of a picture
  double height = 0;  // html: CSS px, a guess
  bool cut = false;   // there was more than is shown
};

// A part that is shown as a file.
struct ViewFile {
  std::string name;
  std::string type;
  std::uint64_t bytes = 0;  // decoded
};

struct ClientView {
  std::vector<ViewBlock> blocks;
  std::vector<ViewFile> files;
  std::size_t holes = 0;     // places where a picture should be and none is
  std::size_t pictures = 0;  // places where one is
  std::string problem;       // why nothing of it can be shown: the message reads in two ways
};

ClientView client_view(const mail::Message& message, Room& room);

// "data:image/png;base64,...".
std::string data_uri(std::string_view media_type, std::string_view bytes);

// A text of that charset (empty: none given) in UTF-8; what is no character of it becomes U+FFFD.
std::string in_utf8(std::string_view text, std::string_view charset);

}  // namespace pixmilter::cli
