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

// What stays on the line after replacements[i] until a line break or the next chance to make one.
std::size_t rest_of_line(std::string_view text, const std::vector<Replacement>& replacements, std::size_t i) {
  std::size_t rest = 0;
  while (true) {
    const std::size_t at = replacements[i].range.end;
    const std::size_t next = i + 1 < replacements.size() ? replacements[i + 1].range.begin : text.size();
    const std::string_view between = text.substr(at, next - at);
    const std::size_t line = std::min(between.find('\n'), between.size());
    rest += line;
    if (line < between.size() || ++i == replacements.size() || replacements[i].reference != nullptr ||
        rest > kMaxLine)
      return rest;
    rest += replacements[i].text.size();
  }
}

}  // namespace

void keep_lines_short(std::string_view text, std::string_view eol, std::vector<Replacement>& replacements,
                      mail::EditList& breaks) {
  if (longest_line(text) > kMaxLine) return;
  std::stable_sort(replacements.begin(), replacements.end(),
                   [](const Replacement& a, const Replacement& b) { return a.range.begin < b.range.begin; });
  std::size_t column = 0, at = 0;
  for (std::size_t i = 0; i < replacements.size(); ++i) {
    Replacement& here = replacements[i];
    if (here.range.begin < at) return;  // they overlap: whoever applies them says so
    column = column_after(text.substr(at, here.range.begin - at), column);
    at = here.range.end;
    const std::size_t rest = rest_of_line(text, replacements, i);
    if (here.reference != nullptr && here.reference->place == html::Place::inline_svg) {
      here.text = wrapped(here.text, eol, column + std::min(rest, kWanted / 2));
    } else if (here.reference != nullptr && column + here.text.size() + rest > kWanted) {
      const html::Quoting& quoting = here.reference->quoting;
      if (quoting.in_css || here.reference->place == html::Place::srcset) {
        if (quoting.attribute_quote != 0 || !quoting.in_attribute) {
          here.text.insert(0, eol);
          column = 0;
        }
      } else if (const std::size_t name = attribute_before(text, here.range.begin);
                 name != std::string_view::npos) {
        breaks.insert(name, std::string(eol));
        column = here.range.begin - name;
      }
    }
    column = column_after(here.text, column);
  }
}

}  // namespace pixmilter::core
