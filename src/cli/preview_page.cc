#include "cli/preview_page.h"

#include <algorithm>
#include <map>

#include "base/ascii.h"
#include "cli/contained_html.h"
#include "cli/preview_style.h"
#include "cli/preview_tree.h"
#include "cli/wording.h"
#include "mail/header_text.h"

namespace pixmilter::cli {
namespace {

using core::Decision;
using core::Finding;
using core::Verdict;

constexpr std::size_t kMostCards = 300;
constexpr std::size_t kMostOthers = 100;
constexpr std::size_t kMostPlaces = 6;
constexpr std::size_t kMostLabel = 160;  // bytes
constexpr double kLeastFrame = 150;      // CSS px
constexpr double kMostFrame = 620;
constexpr double kFrameMargin = 56;
constexpr std::uint32_t kTiny = 16;  // pixels: shown larger, so that something is seen

// The page's own policy, which its frames inherit besides their own.
constexpr std::string_view kHead =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n";

// Cut where a character begins.
std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return std::string(text.substr(0, most)) + "…";
}

std::string pixels(std::uint32_t width, std::uint32_t height) {
  return width == 0 || height == 0 ? "–" : std::to_string(width) + " × " + std::to_string(height);
}

std::string label_of(const Finding& finding) {
  if (finding.source == core::Source::svg) return "Inline SVG";
  // A data: URI has no name; what it says it is may be wrong and says nothing about which one it is.
  if (finding.source == core::Source::data && finding.format != image::Format::unknown)
    return std::string(format_words(finding.format)) + " in a data: URI";
  if (finding.label.empty()) return std::string(source_words(finding.source));
  return shortened(finding.label, kMostLabel);
}

std::string place_of(const Finding& finding) {
  const std::string part = finding.part_number.empty() ? "1" : finding.part_number;
  if (finding.html == Finding::kNone) return "part " + part;
  return std::string(html::name(finding.place)) + " in part " + part;
}

class Page {
 public:
  explicit Page(const Preview& preview)
      : p_(preview), e_(preview.explained), findings_(preview.explained.outcome.findings) {
    for (std::size_t i = 0; i < findings_.size(); ++i) {
      const Finding& finding = findings_[i];
      if (finding.silent) {
        others_.push_back(i);
        continue;
      }
      // One picture, one card, however often it is named.
      const auto key = std::pair(finding.picture, finding.page);
      const auto known = finding.picture == Finding::kNone ? card_of_.end() : card_of_.find(key);
      if (known != card_of_.end() && findings_[cards_[known->second].front()].decision == finding.decision) {
        cards_[known->second].push_back(i);
        continue;
      }
      if (finding.picture != Finding::kNone) card_of_[key] = cards_.size();
      cards_.push_back({i});
    }
  }

  std::string text() {
    out_ = kHead;
    const std::string subject = header("Subject");
    add("<title>Preview: " + escaped(subject.empty() ? "a message without a subject" : subject) +
        "</title>\n<style>");
    add(kPreviewStyle);
    add("</style>\n</head>\n<body>\n<div class=\"page\">\n");
    top(subject);
    add("<main>\n");
    views();
    pictures();
    trees();
    rules();
    add("</main>\n<footer>Made by pixmilter " PIXMILTER_VERSION
        ". The page holds no script and loads nothing; links in the message do not lead anywhere.</footer>\n"
        "</div>\n</body>\n</html>\n");
    return std::move(out_);
  }

 private:
  void add(std::string_view text) { out_.append(text); }

  std::string header(std::string_view name) const {
    const mail::HeaderField* field = e_.message.find(name);
    return field == nullptr ? std::string() : shortened(mail::unstructured(field->raw_value), 300);
  }

  // ---- what happened, in one look ----

  void top(const std::string& subject) {
    add("<header>\n<p class=\"brand\"><b>pixmilter</b> preview</p>\n<h1><bdi>" +
        escaped(subject.empty() ? "(no subject)" : subject) + "</bdi></h1>\n<p class=\"route\">");
    for (const char* name : {"From", "To", "Cc"})
      if (const std::string value = header(name); !value.empty())
        add("<span>" + std::string(name) + " <b><bdi>" + escaped(value) + "</bdi></b></span>");
    add("</p>\n");
    verdict();
    numbers();
    add("</header>\n");
  }

  struct Counts {
    std::size_t embedded = 0, converted = 0, left = 0, replaced = 0, dropped = 0;
  };
  Counts counts() const {
    Counts counts;
    for (const Finding& finding : findings_) {
      if (finding.silent) continue;
      counts.embedded += finding.decision == Decision::embed;
      counts.converted += finding.decision == Decision::convert;
      counts.replaced += finding.decision == Decision::placeholder;
      counts.dropped += finding.decision == Decision::drop;
      counts.left += finding.failed && finding.decision == Decision::keep;
    }
    return counts;
  }

  // What became of the pictures, as a sentence.
  std::string deeds() const {
    const Counts c = counts();
    std::vector<std::string> parts;
    const auto say = [&](std::size_t n, std::string_view one, std::string_view many) {
      if (n == 0) return;
      parts.push_back((parts.empty() ? counted(n, "picture") : std::to_string(n)) + " " +
                      std::string(n == 1 ? one : many));
    };
    say(c.embedded, "is embedded", "are embedded");
    say(c.converted, "is converted", "are converted");
    say(c.replaced, "is replaced by a neutral one", "are replaced by neutral ones");
    say(c.dropped, "is taken out", "are taken out");
    say(c.left, "stays as it was", "stay as they were");
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i)
      text += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
    return text.empty() ? text : text + ".";
  }

  // The summary without its first word: why nothing was done.
  std::string reason() const {
    const std::string& summary = e_.outcome.summary;
    const std::size_t colon = summary.rfind("untouched: ");
    std::string text = colon == std::string::npos ? summary : summary.substr(colon + 11);
    if (text.empty()) return text;
    text.front() = ascii::is_lower(text.front()) ? static_cast<char>(text.front() - 'a' + 'A') : text.front();
    return text + (text.back() == '.' ? "" : ".");
  }

  void verdict() {
    const bool audit = e_.report.plan.mode == config::Mode::audit;
    const char* tone = "quiet";
    std::string title = "Goes out as it came";
    std::string text;
    switch (e_.outcome.verdict) {
      case Verdict::reject:
        tone = "bad", title = "Rejected", text = e_.outcome.reply;
        break;
      case Verdict::tempfail:
        tone = "bad", title = "Deferred", text = e_.outcome.reply;
        break;
      case Verdict::quarantine:
        tone = "warn", title = "Held in quarantine", text = e_.outcome.reply;
        break;
      case Verdict::accept:
        if (p_.changes) {
          tone = counts().left > 0 ? "warn" : "good";
          title = audit ? "Would be rewritten" : "Rewritten";
          text = deeds() + (audit ? " Audit mode: it goes out as it came." : "");
          if (text.empty()) text = "Only the header changes.";
        } else {
          if (counts().left > 0) tone = "warn";
          text = reason();
        }
        break;
    }
    if (text.empty()) text = e_.outcome.summary;
    add("<div class=\"verdict " + std::string(tone) + "\"><strong>" + title + "</strong><p>" + escaped(text) +
        "</p></div>\n");
  }

  void number(std::string_view name, const std::string& value, const std::string& note = {}) {
    add("<div><dt>" + std::string(name) + "</dt><dd>" + value +
        (note.empty() ? "" : " <small>" + note + "</small>") + "</dd></div>\n");
  }

  void numbers() {
    const double before = static_cast<double>(e_.outcome.bytes_before);
    const double after = static_cast<double>(size_after());
    add("<dl class=\"numbers\">\n");
    if (p_.changes && before > 0) {
      const int percent = static_cast<int>((after - before) / before * 100 + (after < before ? -0.5 : 0.5));
      number("Size", size_words(e_.outcome.bytes_before) + " → " + size_words(size_after()),
             percent == 0
                 ? ""
                 : (percent < 0 ? "−" + std::to_string(-percent) : "+" + std::to_string(percent)) + " %");
    } else {
      number("Size", size_words(e_.outcome.bytes_before));
    }
    if (p_.before.problem.empty()) {
      const std::string shown = std::to_string(p_.before.pictures);
      number("Pictures the recipient sees",
             p_.changes ? shown + " → " + std::to_string(p_.after.pictures) : shown,
             p_.changes && p_.after.holes > 0     ? counted(p_.after.holes, "hole") + " left"
             : !p_.changes && p_.before.holes > 0 ? counted(p_.before.holes, "hole")
                                                  : "");
    }
    if (!e_.report.before.empty())
      number(
          "MIME parts",
          std::to_string(e_.report.before.size()) +
              (p_.changes && !e_.report.after.empty() ? " → " + std::to_string(e_.report.after.size()) : ""));
    number("Time", std::to_string(static_cast<long>(e_.report.total_ms + 0.5)) + " ms",
           std::to_string(static_cast<long>(e_.report.render_ms + 0.5)) + " ms of it rendering");
    add("</dl>\n");
  }

  std::uint64_t size_after() const {
    if (!e_.report.message_after.empty() && e_.outcome.bytes_after == e_.outcome.bytes_before)
      return e_.report.message_after.size();  // audit
    return e_.outcome.bytes_after;
  }

  // ---- before and after ----

  void views() {
    add("<section>\n<h2>What the recipient sees</h2>\n<p class=\"lead\">As a careful mail client shows it: "
        "no "
        "data: URIs, no inline SVG, remote pictures not loaded.</p>\n");
    const double height = std::max(frame_height(p_.before), p_.changes ? frame_height(p_.after) : 0);
    add(p_.changes ? "<div class=\"pair\">\n" : "<div class=\"pair one\">\n");
    if (p_.changes) {
      view("Before", p_.before, height);
      view("After", p_.after, height);
    } else {
      view("Before and after", p_.before, height);
    }
    add("</div>\n</section>\n");
  }

  static double frame_height(const ClientView& view) {
    double most = 0;
    for (const ViewBlock& block : view.blocks) most = std::max(most, block.height);
    return std::clamp(most + kFrameMargin, kLeastFrame, kMostFrame);
  }

  void view(std::string_view title, const ClientView& view, double height) {
    std::string state = view.holes > 0 ? counted(view.holes, "picture") + " missing" : "";
    if (view.pictures > 0)
      state += (state.empty() ? "" : ", ") +
               (view.holes > 0 ? std::to_string(view.pictures) : counted(view.pictures, "picture")) +
               " shown";
    add("<figure class=\"client\">\n<figcaption><b>" + std::string(title) + "</b><span>" +
        (state.empty() ? "no pictures" : state) + "</span></figcaption>\n");
    bool cut = false;
    for (const ViewBlock& block : view.blocks) {
      block_of(title, block, height);
      cut = cut || block.cut;
    }
    if (!view.problem.empty())
      add("<div class=\"sheet\">Mail programs could read this message in different ways, so it is not "
          "shown: " +
          escaped(view.problem) + ".</div>\n");
    else if (view.blocks.empty())
      add("<div class=\"sheet\">There is no text to show.</div>\n");
    if (!view.files.empty()) {
      add("<ul class=\"files\">\n");
      for (const ViewFile& file : view.files)
        add("<li><bdi>" + escaped(file.name.empty() ? file.type : shortened(file.name, kMostLabel)) +
            "</bdi> <span>" + (file.name.empty() ? "" : escaped(file.type) + ", ") + size_words(file.bytes) +
            "</span></li>\n");
      add("</ul>\n");
    }
    if (cut) add("<p class=\"note\">The text goes on; this page shows its beginning.</p>\n");
    add("</figure>\n");
  }

  void block_of(std::string_view title, const ViewBlock& block, double height) {
    switch (block.kind) {
      case ViewBlock::Kind::html: {
        const double own = std::clamp(block.height + kFrameMargin, kLeastFrame, height);
        const bool alone = p_.before.blocks.size() <= 2;
        add("<iframe sandbox=\"\" referrerpolicy=\"no-referrer\" title=\"" + std::string(title) +
            ": the message\" style=\"height:" + std::to_string(static_cast<int>(alone ? height : own)) +
            "px\" srcdoc=\"" + escaped(block.text) + "\"></iframe>\n");
        break;
      }
      case ViewBlock::Kind::plain:
        add("<div class=\"sheet\"><pre>" + escaped(block.text) + "</pre></div>\n");
        break;
      case ViewBlock::Kind::picture:
        add("<div class=\"sheet\">" +
            (block.text.empty() ? std::string("This picture is too large for the page.")
                                : "<img alt=\"\" src=\"" + block.text + "\">") +
            (block.name.empty() ? "" : "<small><bdi>" + escaped(block.name) + "</bdi></small>") + "</div>\n");
        break;
    }
  }

  // ---- each picture ----

  void pictures() {
    if (cards_.empty() && others_.empty()) return;
    add("<section>\n<h2>Pictures</h2>\n<p class=\"lead\">");
    add(cards_.empty() ? "None that pixmilter deals with."
                       : "Each picture that was found, how it came and what becomes of it.");
    add("</p>\n");
    if (!cards_.empty()) {
      add("<ol class=\"cards\">\n");
      for (std::size_t i = 0; i < std::min(cards_.size(), kMostCards); ++i) card(cards_[i]);
      add("</ol>\n");
      if (cards_.size() > kMostCards)
        add("<p class=\"lead\">And " + std::to_string(cards_.size() - kMostCards) + " more.</p>\n");
    }
    if (!others_.empty()) {
      add("<h3 class=\"also\">Also named, and left to mail clients</h3>\n<ul class=\"others\">\n");
      for (std::size_t i = 0; i < std::min(others_.size(), kMostOthers); ++i) {
        const Finding& finding = findings_[others_[i]];
        add("<li><code><bdi>" + escaped(label_of(finding)) + "</bdi></code><span>" + escaped(finding.reason) +
            "; " + escaped(place_of(finding)) + "</span></li>\n");
      }
      if (others_.size() > kMostOthers)
        add("<li><span>and " + std::to_string(others_.size() - kMostOthers) + " more links</span></li>\n");
      add("</ul>\n");
    }
    add("</section>\n");
  }

  static const char* tone(const Finding& finding) {
    if (finding.failed) return "warn";
    switch (finding.decision) {
      case Decision::embed:
        return "good";
      case Decision::convert:
        return "work";
      default:
        return "quiet";
    }
  }
  static const char* word(const Finding& finding) {
    switch (finding.decision) {
      case Decision::embed:
        return "embedded";
      case Decision::convert:
        return "converted";
      case Decision::placeholder:
        return "replaced";
      case Decision::drop:
        return "taken out";
      case Decision::keep:
        return finding.failed ? "left" : "kept";
    }
    return "";
  }

  void thumb(const std::string& uri, const std::string& caption, const std::string& instead,
             std::uint32_t width, std::uint32_t height) {
    const bool tiny = width > 0 && width <= kTiny && height <= kTiny;
    add("<div class=\"thumb\">");
    if (uri.empty())
      add("<div class=\"none\">" + instead + "</div>");
    else
      add("<div><img alt=\"\"" + std::string(tiny ? " class=\"tiny\"" : "") + " src=\"" + uri + "\"></div>");
    add("<p>" + caption + "</p></div>");
  }

  void card(const std::vector<std::size_t>& places) {
    const Finding& f = findings_[places.front()];
    const bool goes = f.decision == Decision::embed || f.decision == Decision::convert ||
                      f.decision == Decision::placeholder;
    static const Thumbnails kNothing;
    const Thumbnails& thumbs = f.picture < p_.thumbnails.size() ? p_.thumbnails[f.picture] : kNothing;
    const bool known = f.format != image::Format::unknown;
    const std::string came = known ? "came as " + std::string(format_words(f.format)) : "unknown";
    const bool same = f.picture < e_.report.pictures.size() &&
                      e_.report.pictures[f.picture].before == e_.report.pictures[f.picture].after;

    add("<li class=\"card " + std::string(tone(f)) + "\">\n<div class=\"thumbs\">");
    // What is too large for us is too large for the reader's browser, which would show nothing in its place.
    const bool too_large = f.failed && f.failure == config::Failure::limit;
    thumb(too_large ? kNothing.before : thumbs.before, came,
          too_large ? "Too large to be shown"
          : !known  ? "Nothing that can be shown"
          : image::shown_everywhere(f.format) || goes
              ? "No browser shows " + std::string(f.format == image::Format::npy ? "a " : "") +
                    std::string(format_words(f.format))
              : "Not shown here",
          f.width_before, f.height_before);
    add("<span class=\"arrow\" aria-hidden=\"true\">→</span>");
    thumb(goes ? thumbs.after : "", goes ? "goes as " + std::string(format_words(f.new_format)) : word(f),
          goes                           ? "Too large for the page"
          : f.decision == Decision::drop ? "Taken out"
                                         : "Stays as it is",
          f.width, f.height);
    add("</div>\n<div>\n<div class=\"head\"><h3><bdi>" + escaped(label_of(f)) +
        "</bdi></h3><span class=\"tag\">" + word(f) + "</span></div>\n<p class=\"why\">" +
        escaped(decision_words(f, same)) + "</p>\n");
    facts(f, goes);
    add("<p class=\"places\">From " + std::string(source_words(f.source)) + ", " + places_of(places));
    if (goes && !f.new_name.empty()) add("; goes as <bdi>" + escaped(f.new_name) + "</bdi>");
    add("</p>\n</div>\n</li>\n");
  }

  void facts(const Finding& f, bool goes) {
    if (f.format == image::Format::unknown && f.bytes_before == 0) return;
    const auto row = [&](std::string_view name, const std::string& before, const std::string& after) {
      add("<tr><th scope=\"row\">" + std::string(name) + "</th><td>" + before + "</td>" +
          (goes ? "<td>" + after + "</td>" : "") + "</tr>");
    };
    add("<table><thead><tr><td></td><th scope=\"col\">before</th>" +
        std::string(goes ? "<th scope=\"col\">after</th>" : "") + "</tr></thead><tbody>");
    row("Format", std::string(format_words(f.format)), std::string(format_words(f.new_format)));
    row("Pixels", pixels(f.width_before, f.height_before), pixels(f.width, f.height));
    row("Size", size_words(f.bytes_before), size_words(f.bytes_after));
    add("</tbody></table>\n");
  }

  std::string places_of(const std::vector<std::size_t>& places) const {
    std::string text;
    for (std::size_t i = 0; i < std::min(places.size(), kMostPlaces); ++i)
      text += (i == 0 ? "" : "; ") + escaped(place_of(findings_[places[i]]));
    if (places.size() > kMostPlaces)
      text += " and " + std::to_string(places.size() - kMostPlaces) + " more places";
    return text;
  }

  // ---- structure and rules ----

  void trees() {
    if (e_.report.before.empty()) return;
    add("<section>\n<h2>MIME structure</h2>\n<p class=\"lead\">Each part with its bytes as they stand in the "
        "message, header and encoding included.</p>\n");
    add(preview_trees(e_.report.before, p_.changes ? e_.report.after : std::vector<core::PartLine>()));
    add("</section>\n");
  }

  void rules() {
    const core::Plan& plan = e_.report.plan;
    if (plan.recipients.empty()) return;
    add("<section>\n<h2>Rules</h2>\n<p class=\"lead\">Which rule speaks for whom.</p>\n<ul "
        "class=\"rules\">\n");
    std::size_t shown = 0;
    for (const core::RecipientPlan& recipient : plan.recipients) {
      if (++shown > kMostOthers) break;
      add("<li><b><bdi>" + (recipient.recipient.empty() ? "The message" : escaped(recipient.recipient)) +
          "</bdi></b> <span>" +
          (recipient.rule == nullptr ? std::string("no rule, so the defaults")
                                     : "rule “" + escaped(recipient.rule_name) + "”, line " +
                                           std::to_string(recipient.rule->line)) +
          ":</span> " + std::string(config::name(recipient.action)) +
          (recipient.why.empty() ? "" : " <span>(" + escaped(recipient.why) + ")</span>") +
          (recipient.mode == config::Mode::enforce ? ""
                                                   : ", mode " + std::string(config::name(recipient.mode))) +
          "</li>\n");
    }
    if (plan.recipients.size() > kMostOthers)
      add("<li><span>and " + counted(plan.recipients.size() - kMostOthers, "more recipient") +
          "</span></li>\n");
    for (const core::Forced& forced : plan.forced)
      add("<li>" + escaped(forced.what) + " <span>for all, because of</span> <bdi>" +
          escaped(forced.recipient) + "</bdi> <span>(" + escaped(forced.rule_name) + ")</span></li>\n");
    add("</ul>\n</section>\n");
  }

  const Preview& p_;
  const Explanation& e_;
  const std::vector<Finding>& findings_;
  std::vector<std::vector<std::size_t>> cards_;  // indices of findings, those of one picture together
  std::map<std::pair<std::size_t, std::uint32_t>, std::size_t> card_of_;
  std::vector<std::size_t> others_;  // what is none of our business
  std::string out_;
};

}  // namespace

std::string preview_page(const Preview& preview) { return Page(preview).text(); }

}  // namespace pixmilter::cli
