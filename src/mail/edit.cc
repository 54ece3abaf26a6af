#include "mail/edit.h"

#include <algorithm>

namespace pixmilter::mail {

Result<std::string> EditList::apply(std::string_view text, std::size_t begin) const {
  std::string out;
  if (Status applied = append_to(out, text, begin); !applied) return applied.error();
  return out;
}

Status EditList::append_to(std::string& out, std::string_view text, std::size_t begin) const {
  std::vector<const Edit*> sorted;
  sorted.reserve(edits_.size());
  std::size_t size = text.size() - begin;
  for (const Edit& edit : edits_) {
    if (edit.begin > edit.end || edit.end > text.size() || edit.begin < begin)
      return Error{"edit of bytes " + std::to_string(edit.begin) + " to " + std::to_string(edit.end) +
                   " lies outside the text of " + std::to_string(text.size()) + " bytes"};
    sorted.push_back(&edit);
    size += edit.replacement.size();
    size -= std::min(size, edit.end - edit.begin);
  }
  // At one offset insertions come before the replacement that begins there.
  std::stable_sort(sorted.begin(), sorted.end(), [](const Edit* a, const Edit* b) {
    return a->begin != b->begin ? a->begin < b->begin : (a->begin == a->end) > (b->begin == b->end);
  });
  out.reserve(out.size() + size);
  std::size_t at = begin;
  for (const Edit* edit : sorted) {
    if (edit->begin < at) return Error{"two edits overlap at byte " + std::to_string(edit->begin)};
    out.append(text, at, edit->begin - at);
    out.append(edit->replacement);
    at = edit->end;
  }
  out.append(text, at);
  return Done{};
}

}  // namespace pixmilter::mail
