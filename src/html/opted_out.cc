#include "html/opted_out.h"

#include "base/ascii.h"
#include "html/tags.h"

namespace pixmilter::html {

void OptedOut::begin(const Token& token) {
  if (holds() || token.self_closing || is_void(token.name)) return;
  name_ = token.name;
  depth_ = 1;
}

void OptedOut::pass(const Token& token) {
  if (!holds() || !ascii::iequals(token.name, name_)) return;
  if (token.kind == TokenKind::end_tag)
    --depth_;
  else if (ascii::iequals(name_, "p"))
    depth_ = 0;  // a paragraph ends where the next begins
  else if (!token.self_closing)
    ++depth_;
}

}  // namespace pixmilter::html
