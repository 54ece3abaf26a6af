// A look at the bytes of HTML before it is read: most holds nothing that could become a picture.
#pragma once

#include <string_view>

namespace pixmilter::html {

// What a look is for, beside data: URIs, inline <svg> and marks that senders address to us.
struct Wanted {
  bool links = false;  // http: and https: URLs
  bool files = false;  // asset: and file: URLs
  bool parts = false;  // cid: URLs
};

// False: no spelling of HTML and CSS in an ASCII superset makes any of that of these bytes. True says
// nothing. Bytes that are no HTML may stand before, between and behind. In time linear in the size, at about
// 1 GB/s.
bool may_hold_references(std::string_view bytes, const Wanted& wanted);

}  // namespace pixmilter::html
