#include "cli/preview_tree.h"

#include <algorithm>

#include "cli/contained_html.h"
#include "cli/wording.h"

namespace pixmilter::cli {
namespace {

constexpr std::size_t kMostLines = 400;
constexpr std::size_t kMostDepth = 8;  // deeper ones are not moved in any further

enum class Mark : std::uint8_t { same, fresh, changed, gone };

struct Marked {
  const core::PartLine* line;
  Mark mark = Mark::same;
};

bool equal(const core::PartLine& a, const core::PartLine& b) {
  return a.type == b.type && a.encoding == b.encoding && a.disposition == b.disposition && a.name == b.name &&
         a.content_id == b.content_id && a.bytes == b.bytes;
}

// The same part, though its bytes differ: by its Content-ID, else as the next one of its type.
bool akin(const core::PartLine& a, const core::PartLine& b) {
  if (!a.content_id.empty() || !b.content_id.empty()) return a.content_id == b.content_id;
  return a.type == b.type;
}

std::vector<Marked> marked(const std::vector<core::PartLine>& lines, Mark mark) {
  std::vector<Marked> out;
  for (const core::PartLine& line : lines) out.push_back({&line, mark});
  return out;
}

// Every part finds its likeness on the other side, or none.
void compare(std::vector<Marked>& before, std::vector<Marked>& after) {
  const auto pair_up = [&](const auto& alike, Mark mark) {
    for (Marked& fresh : after) {
      if (fresh.mark != Mark::fresh) continue;
      const auto old = std::find_if(before.begin(), before.end(), [&](const Marked& candidate) {
        return candidate.mark == Mark::gone && alike(*candidate.line, *fresh.line);
      });
      if (old == before.end()) continue;
      old->mark = fresh.mark = mark;
    }
  };
  if (before.size() > kMostLines || after.size() > kMostLines) {  // quadratic, and not shown anyway
    for (auto* lines : {&before, &after})
      for (Marked& line : *lines) line.mark = Mark::same;
    return;
  }
  pair_up(equal, Mark::same);
  pair_up(akin, Mark::changed);
}

std::string tag(Mark mark) {
  switch (mark) {
    case Mark::fresh:
      return " <span class=\"tag good\">new</span>";
    case Mark::changed:
      return " <span class=\"tag work\">changed</span>";
    case Mark::gone:
      return " <span class=\"tag warn\">replaced</span>";
    case Mark::same:
      return {};
  }
  return {};
}

std::string_view class_of(Mark mark) {
  switch (mark) {
    case Mark::fresh:
      return " new";
    case Mark::changed:
      return " changed";
    case Mark::gone:
      return " gone";
    case Mark::same:
      return {};
  }
  return {};
}

std::string row(const Marked& part) {
  const core::PartLine& line = *part.line;
  std::string out = "<li class=\"" + std::string(line.depth > 0 ? "in" : "top") +
                    std::string(class_of(part.mark)) +
                    "\" style=\"--depth:" + std::to_string(std::min(line.depth, kMostDepth)) +
                    "\"><div><code>" + escaped(line.type) + "</code>" + tag(part.mark);
  std::string more;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) more.append(more.empty() ? "" : ", ").append(text);
  };
  add(line.name.empty() ? "" : "<bdi>" + escaped(line.name) + "</bdi>");
  add(escaped(line.disposition));
  add(line.type.starts_with("multipart/") || line.encoding == "7bit" ? "" : escaped(line.encoding));
  add(line.note.empty() ? "" : "never touched: " + escaped(line.note));
  if (!more.empty()) out += "<br><small>" + more + "</small>";
  return out + "</div><span class=\"size\">" + size_words(line.bytes) + "</span></li>\n";
}

std::string tree(std::string_view title, const std::vector<Marked>& lines) {
  std::string out = "<div class=\"tree\">\n<h3><b>" + std::string(title) + "</b><span>" +
                    counted(lines.size(), "part") + "</span></h3>\n<ol>\n";
  for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i) out += row(lines[i]);
  if (lines.size() > kMostLines)
    out += "<li class=\"top\" style=\"--depth:0\"><div><small>and " +
           counted(lines.size() - kMostLines, "more part") + "</small></div></li>\n";
  return out + "</ol>\n</div>\n";
}

}  // namespace

std::string preview_trees(const std::vector<core::PartLine>& before,
                          const std::vector<core::PartLine>& after) {
  if (after.empty())
    return "<div class=\"pair one\">\n" + tree("Before and after", marked(before, Mark::same)) + "</div>\n";
  std::vector<Marked> left = marked(before, Mark::gone);
  std::vector<Marked> right = marked(after, Mark::fresh);
  compare(left, right);
  return "<div class=\"pair\">\n" + tree("Before", left) + tree("After", right) + "</div>\n";
}

}  // namespace pixmilter::cli
