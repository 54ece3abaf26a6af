// Character references: `&amp;`, `&#60;`, `&#x3C;` and the like, as the HTML standard resolves them
// (section 13.2.5.72 and after).
//
// Text is decoded only where somebody wants to read it; where an offset into decoded text has to become
// one into the source again, Decoded keeps the way back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::html {

// In an attribute a legacy name without its semicolon is no reference when "=" or a letter follows.
enum class ReferenceContext { text, attribute };

// Tries the reference that begins at text[0] == '&'. Appends its characters in UTF-8 and returns the bytes
// it takes, or returns 0 and appends nothing where it is no reference.
std::size_t decode_reference(std::string_view text, ReferenceContext context, std::string& out);

// Appends text with its references resolved.
void decode_references(std::string_view text, ReferenceContext context, std::string& out);

void append_utf8(char32_t code_point, std::string& out);

// Text with its references resolved, and for each of its bytes where in the source it came from.
class Decoded {
 public:
  // Reuses the memory of an earlier call. The source is not kept.
  void assign(std::string_view source, ReferenceContext context);
  std::string_view text() const { return text_; }
  // The offset in the source at which the decoded byte begins; text().size() maps to the source's end.
  // Offsets within what one reference stands for map to the reference's beginning.
  std::size_t source_offset(std::size_t offset) const;

 private:
  // From decoded on, offsets run in step with source (until the next step).
  struct Step {
    std::size_t decoded;
    std::size_t source;
    bool reference;  // the bytes up to the next step stand for one reference
  };
  std::string text_;
  std::vector<Step> steps_;
};

}  // namespace pixmilter::html
