// The assemble pass: from findings and rendered pictures to the changes of the message.
//
// MIME assembly follows RFC 2387 (related), RFC 2392 (cid:) and RFC 2046. An HTML part that stands in a
// multipart/related already gets its pictures there; any other is wrapped in a new one in its place. Pixel
// parts are replaced where they stand.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/work.h"
#include "mail/edit.h"

namespace pixmilter::core {

// An image part that is new in the message.
struct NewPart {
  std::size_t picture = 0;
  std::string content_id;
};

// What assemble did, as far as verify needs to know to hold the result against it.
struct Assembly {
  std::vector<mail::HeaderChange> header_changes;
  mail::EditList body_edits;  // offsets in Message::bytes(), none before its body
  // For a part that got pictures: the HTML part that was wrapped, or the multipart/related that was extended.
  std::map<std::size_t, std::vector<NewPart>> new_parts;
  std::map<std::size_t, std::string> wrapped;   // HTML part -> boundary of the multipart/related put round it
  std::map<std::size_t, std::string> new_text;  // HTML part -> its decoded text as it shall be
  std::map<std::size_t, std::size_t> replaced;  // pixel part -> picture
  // Pixel part -> pictures of its further pages, which follow it as parts of their own.
  std::map<std::size_t, std::vector<std::size_t>> pages;
  // The message was one picture of several pages: boundary of the multipart/mixed that now holds them.
  std::string paged_root;
  std::set<std::size_t> dropped;            // parts that go
  std::map<std::size_t, std::string> said;  // parts that would leave nothing behind -> text in their place
  // HTML part whose text was converted to UTF-8 -> its new Content-Type and Content-Transfer-Encoding.
  struct Recoded {
    std::string content_type;
    std::string encoding;
  };
  std::map<std::size_t, Recoded> recoded;
  bool empty() const { return header_changes.empty() && body_edits.empty(); }
};

// Only findings whose decision is not to keep are carried out. Errors: none that input could cause; an
// Error means that the message is left as it is.
Result<Assembly> assemble(const Work& work);

}  // namespace pixmilter::core
