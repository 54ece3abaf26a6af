#include "core/replace_parts.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/quoted_printable.h"
#include "core/content_fields.h"
#include "core/external_part.h"
#include "mail/part_writer.h"

namespace pixmilter::core {
namespace {

constexpr std::string_view kTextType = " text/plain; charset=utf-8";
constexpr std::string_view kTextEncoding = " quoted-printable";

class Replacer {
 public:
  Replacer(const Work& work, Assembly& out)
      : work_(work),
        message_(work.message),
        tree_(work.tree),
        eol_(work.message.eol()),
        out_(out),
        fields_(work.message, out.header_changes) {}

  void run() {
    for (const Finding& finding : work_.findings) {
      if (finding.html != Finding::kNone || finding.picture == Finding::kNone ||
          finding.decision == Decision::keep)
        continue;
      if (finding.page > 0)
        add_page(finding);
      else if (const std::vector<const Finding*> pages = pages_of_root(finding); !pages.empty())
        replace_root_by_pages(finding, pages);
      else
        finding.external ? replace_external(work_, finding, out_) : replace_part(finding);
    }
    drop_parts();
  }

 private:
  void replace_part(const Finding& finding) {
    const mail::Part& part = tree_[finding.part];
    const Picture& picture = work_.pictures[finding.picture];
    const bool root = part.parent == mail::Part::kNone;
    for (const mail::HeaderField& field : part.fields) {
      std::string value;
      if (ascii::iequals(field.name, "Content-Type"))
        value = type_value(picture, finding.new_name);
      else if (ascii::iequals(field.name, "Content-Transfer-Encoding"))
        value = "base64";
      else if (ascii::iequals(field.name, "Content-Disposition"))
        value = disposition(part, finding);
      else if (!tells_of_old_bytes(field.name))
        continue;
      if (value.empty())
        root ? fields_.remove(field) : out_.body_edits.remove(field.begin, field.end);
      else if (root)
        fields_.replace(field.name, " " + value);
      else
        out_.body_edits.replace(field.begin, field.end, mail::field(field.name, " " + value, eol_));
    }
    std::string added;
    if (!has_field(part, "Content-Type"))
      added += mail::field("Content-Type", " " + type_value(picture, finding.new_name), eol_);
    if (!has_field(part, "Content-Transfer-Encoding")) {
      if (root) fields_.append("Content-Transfer-Encoding", " base64");
      added += mail::field("Content-Transfer-Encoding", " base64", eol_);
    }
    if (root)
      fields_.finish();
    else if (!added.empty())
      out_.body_edits.insert(part.header.end, std::move(added));
    out_.body_edits.replace(part.body.begin, part.body.end, body_with(picture, message_, part));
    out_.replaced[finding.part] = finding.picture;
  }

  static std::string disposition(const mail::Part& part, const Finding& finding) {
    return disposition_value(part.disposition.empty() ? "attachment" : part.disposition,
                             part.disposition_parameters, finding.new_name);
  }

  // How a part is shown, and with it each page of it.
  std::string_view disposition_of(const Finding& finding) const {
    const mail::Part& part = tree_[finding.part];
    const std::string& said = finding.external
                                  ? disposition_part(work_.externals.at(finding.part), part).disposition
                                  : part.disposition;
    return !said.empty() ? std::string_view(said) : finding.external ? "attachment" : "inline";
  }

  // A further page stands behind the part of the first, under the same disposition.
  void add_page(const Finding& finding) {
    // The first page failed: the part is still there whole. Or the pages are in place.
    if (!out_.replaced.contains(finding.part) || !out_.paged_root.empty()) return;
    const mail::Part& part = tree_[finding.part];
    const mail::Part& parent = tree_[part.parent];
    const auto next = std::find_if(parent.delimiters.begin(), parent.delimiters.end(),
                                   [&](const mail::Span& line) { return line.begin >= part.body.end; });
    std::string text = "--" + parent.boundary + std::string(eol_);
    write_page(finding, text);
    out_.body_edits.insert(next->begin, std::move(text));
    out_.pages[finding.part].push_back(finding.picture);
  }

  void write_page(const Finding& finding, std::string& out) const {
    const Picture& picture = work_.pictures[finding.picture];
    const auto add = [&](std::string_view name, std::string value) {
      out += mail::field(name, " " + value, eol_);
    };
    add("Content-Type", type_value(picture, finding.new_name));
    add("Content-Transfer-Encoding", "base64");
    add("Content-Disposition", disposition_value(disposition_of(finding), {}, finding.new_name));
    out += eol_;
    picture.append_lines(eol_, out);
  }

  // The further pages of a message that is nothing but this picture.
  std::vector<const Finding*> pages_of_root(const Finding& first) const {
    std::vector<const Finding*> out;
    if (tree_[first.part].parent != mail::Part::kNone) return out;
    for (const Finding& finding : work_.findings)
      if (finding.html == Finding::kNone && finding.page > 0 && finding.picture != Finding::kNone &&
          finding.decision != Decision::keep)
        out.push_back(&finding);
    return out;
  }

  // The message becomes a multipart/mixed of its pages. What its Content- fields say of the picture moves to
  // the first of them.
  void replace_root_by_pages(const Finding& first, const std::vector<const Finding*>& pages) {
    const mail::Part& part = tree_[first.part];
    const Picture& picture = work_.pictures[first.picture];
    std::vector<std::string> content{std::string(picture.bytes())};
    for (const Finding* page : pages) content.emplace_back(work_.pictures[page->picture].bytes());
    const std::string boundary = mail::fresh_boundary(message_, out_.wrapped.size(), content);
    const std::string line = "--" + boundary + std::string(eol_);
    std::vector<ContentField> fields;
    if (first.external) {
      fields = external_fields(work_, first);
    } else {
      fields.emplace_back("Content-Type", " " + type_value(picture, first.new_name));
      fields.emplace_back("Content-Transfer-Encoding", " base64");
      if (has_field(part, "Content-Disposition"))
        fields.emplace_back("Content-Disposition", " " + disposition(part, first));
    }
    const std::size_t ours = fields.size();
    for (const mail::HeaderField& field : part.fields) {
      if (!is_content_field(field)) continue;
      if (ascii::iequals(field.name, "Content-Type")) {
        fields_.replace(field.name,
                        " " + mail::structured_value("multipart/mixed", {{"boundary", boundary}}, 14));
        continue;
      }
      fields_.remove(field);
      const bool said =
          std::any_of(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(ours),
                      [&](const ContentField& own) { return ascii::iequals(own.first, field.name); });
      if (!said && !tells_of_old_bytes(field.name)) fields.emplace_back(field.name, field.raw_value);
    }
    fields_.finish();
    std::string body = line;
    for (const auto& [name, value] : fields) body += mail::field(name, value, eol_);
    body += eol_;
    picture.append_lines(eol_, body);
    for (const Finding* page : pages) {
      write_page(*page, body += line);
      out_.pages[first.part].push_back(page->picture);
    }
    body.append("--").append(boundary).append("--").append(eol_);
    out_.body_edits.replace(part.body.begin, part.body.end, std::move(body));
    out_.replaced[first.part] = first.picture;
    out_.paged_root = boundary;
  }

  // Parts that rules drop go with the boundary line before them. One that would leave a multipart without a
  // part (RFC 2046 section 5.1), a related without its root or a message without content becomes a text.
  void drop_parts() {
    for (const Finding& finding : work_.findings)
      if (finding.html == Finding::kNone && finding.decision == Decision::drop)
        out_.dropped.insert(finding.part);
    for (const Finding& finding : work_.findings) {
      if (finding.html != Finding::kNone || finding.decision != Decision::drop) continue;
      const mail::Part& part = tree_[finding.part];
      if (part.parent == mail::Part::kNone) {
        say_instead_of_root(part, finding.reason);
      } else if (is_needed(finding.part)) {
        std::string text = mail::field("Content-Type", kTextType, eol_) +
                           mail::field("Content-Transfer-Encoding", kTextEncoding, eol_);
        quoted_printable::encode_text(finding.reason, eol_, text.append(eol_));
        out_.body_edits.replace(part.header.begin, part.body.end, std::move(text));
      } else {
        const mail::Part& parent = tree_[part.parent];
        const auto at =
            static_cast<std::size_t>(std::find(parent.children.begin(), parent.children.end(), finding.part) -
                                     parent.children.begin());
        out_.body_edits.remove(parent.delimiters[at].begin, parent.delimiters[at + 1].begin);
        continue;
      }
      out_.dropped.erase(finding.part);
      out_.said[finding.part] = finding.reason;
    }
  }

  bool is_needed(std::size_t index) const {
    const std::size_t parent = tree_[index].parent;
    const std::vector<std::size_t>& children = tree_[parent].children;
    if (tree_[parent].type == "multipart/related" && tree_.related_root(parent) == index) return true;
    return children.front() == index && std::all_of(children.begin(), children.end(), [&](std::size_t child) {
             return out_.dropped.contains(child);
           });
  }

  void say_instead_of_root(const mail::Part& part, const std::string& reason) {
    for (const mail::HeaderField& field : part.fields) {
      if (!is_content_field(field)) continue;
      if (ascii::iequals(field.name, "Content-Type"))
        fields_.replace(field.name, std::string(kTextType));
      else if (ascii::iequals(field.name, "Content-Transfer-Encoding"))
        fields_.replace(field.name, std::string(kTextEncoding));
      else
        fields_.remove(field);
    }
    if (!has_field(part, "Content-Transfer-Encoding"))
      fields_.append("Content-Transfer-Encoding", std::string(kTextEncoding));
    fields_.finish();
    std::string text;
    quoted_printable::encode_text(reason, eol_, text);
    out_.body_edits.replace(part.body.begin, part.body.end, text.append(eol_));
  }

  const Work& work_;
  const mail::Message& message_;
  const mail::MimeTree& tree_;
  std::string_view eol_;
  Assembly& out_;
  MessageFields fields_;
};

}  // namespace

void replace_parts(const Work& work, Assembly& out) { Replacer(work, out).run(); }

}  // namespace pixmilter::core
