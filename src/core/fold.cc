#include "core/fold.h"

#include <algorithm>

#include "base/ascii.h"

namespace pixmilter::core {
namespace {

constexpr std::size_t kMaxLine = 998;
constexpr std::size_t kWanted = 900;  // leaves room for the name of an attribute

std::size_t longest_line(std::string_view text) {
  std::size_t longest = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    longest = std::max(longest, end - begin);
    begin = end + 1;
  }
  return longest;
}

// The column that text ends in when it begins in column.
std::size_t column_after(std::string_view text, std::size_t column) {
  const std::size_t end = text.rfind('\n');
  return end == std::string_view::npos ? column + text.size() : text.size() - end - 1;
}

// Where the name of the attribute begins whose value is at offset; npos where no white space stands before
// it.
std::size_t attribute_before(std::string_view text, std::size_t offset) {
  const auto skip_space = [&] {
    while (offset > 0 && ascii::is_space(text[offset - 1])) --offset;
  };
  skip_space();
  if (offset > 0 && (text[offset - 1] == '"' || text[offset - 1] == '\'')) --offset;
  skip_space();
  if (offset == 0 || text[offset - 1] != '=') return std::string_view::npos;
  --offset;
  skip_space();
  while (offset > 0 && (ascii::is_alnum(text[offset - 1]) || text[offset - 1] == '-')) --offset;
  return offset > 0 && ascii::is_space(text[offset - 1]) ? offset : std::string_view::npos;
}

// The <img> of an inline svg is ours: any space in it may be a line break.
std::string wrapped(std::string_view img, std::string_view eol, std::size_t column) {
  std::string out;
  while (!img.empty()) {
    const std::size_t word = std::min(img.find(' ', 1), img.size());
    if (img.front() == ' ' && column + word > kWanted) {
      out += eol;
      img.remove_prefix(1);
      out += img.substr(0, word - 1);
      column = word - 1;
      img.remove_prefix(word - 1);
      continue;
    }
    out += img.substr(0, word);
    column = column_after(img.substr(0, word), column);
    img.remove_prefix(word);
  }
  return out;
}

}  // namespace

void keep_lines_short(std::string_view text, std::string_view eol, std::vector<Replacement>& replacements,
                      mail::EditList& breaks) {
  if (longest_line(text) > kMaxLine) return;
  std::size_t column = 0, at = 0;
  for (std::size_t i = 0; i < replacements.size(); ++i) {
    Replacement& here = replacements[i];
    const html::Reference& reference = *here.reference;
    column = column_after(text.substr(at, reference.range.begin - at), column);
    at = reference.range.end;
    // What stays on the line until the next chance to break it.
    const std::size_t next =
        i + 1 < replacements.size() ? replacements[i + 1].reference->range.begin : text.size();
    const std::size_t rest = std::min(text.substr(at, next - at).find('\n'), next - at);
    if (reference.place == html::Place::inline_svg) {
      here.text = wrapped(here.text, eol, column + std::min(rest, kWanted / 2));
      column = column_after(here.text, column);
      continue;
    }
    if (column + here.text.size() + rest > kWanted && column > 0) {
      if (reference.quoting.in_css || reference.place == html::Place::srcset) {
        if (reference.quoting.attribute_quote != 0 || !reference.quoting.in_attribute) {
          here.text.insert(0, eol);
          column = 0;
        }
      } else if (const std::size_t name = attribute_before(text, reference.range.begin);
                 name != std::string_view::npos) {
        breaks.insert(name, std::string(eol));
        column = reference.range.begin - name;
      }
    }
    column = column_after(here.text, column);
  }
}

}  // namespace pixmilter::core
