#include "core/assemble.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/base64.h"
#include "core/external_part.h"
#include "core/fold.h"
#include "image/format.h"
#include "mail/part_writer.h"

namespace pixmilter::core {
namespace {

constexpr std::string_view kContentIdDomain = "pixmilter";
constexpr std::string_view kTextType = " text/plain; charset=utf-8";
constexpr std::string_view kTextEncoding = " quoted-printable";
constexpr std::size_t kIdBytes = 16;  // of the hash, in Content-IDs and boundaries

bool is_content_field(const mail::HeaderField& field) { return ascii::istarts_with(field.name, "Content-"); }

// Whether lines of the text are lines of the message.
bool is_plain(mail::Encoding encoding) {
  return encoding != mail::Encoding::quoted_printable && encoding != mail::Encoding::base64;
}

class Assembler {
 public:
  explicit Assembler(const Work& work)
      : work_(work), message_(work.message), tree_(work.tree), eol_(work.message.eol()) {
    for (const mail::Part& part : tree_.parts())
      if (!part.content_id.empty()) taken_ids_.insert(std::string(mail::bare_content_id(part.content_id)));
  }

  Result<Assembly> run() {
    for (std::size_t i = 0; i < work_.texts.size(); ++i)
      if (Status edited = edit_text(i); !edited) return edited.error();
    for (const auto& [container, parts] : out_.new_parts) place_new_parts(container, parts);
    if (const auto root = out_.recoded.find(0); root != out_.recoded.end() && !out_.wrapped.contains(0))
      recode_root(tree_[0], root->second);
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
    return std::move(out_);
  }

 private:
  // The nearest multipart/related in whose root the HTML stands: cid: links resolve there. kNone: none.
  std::size_t related_around(std::size_t part) const {
    std::size_t below = part;
    for (std::size_t at = tree_[part].parent; at != mail::Part::kNone; below = at, at = tree_[at].parent) {
      if (tree_[at].type != "multipart/related") continue;
      return tree_.related_root(at) == below ? at : mail::Part::kNone;
    }
    return mail::Part::kNone;
  }

  // The Content-ID of a picture within a container, making the new part on first use.
  const std::string& content_id(std::size_t container, std::size_t picture) {
    std::vector<NewPart>& parts = out_.new_parts[container];
    for (const NewPart& part : parts)
      if (part.picture == picture) return part.content_id;
    // The same picture in another container needs a name of its own: a Content-ID is unique in a message.
    const Digest content = work_.pictures[picture].digest();
    for (std::uint64_t attempt = 0;; ++attempt) {
      std::string id = hex(numbered_digest(content, attempt), kIdBytes);
      id.append("@").append(kContentIdDomain);
      if (!taken_ids_.insert(id).second) continue;
      return parts.emplace_back(NewPart{picture, std::move(id)}).content_id;
    }
  }

  // Edits one HTML part: references, and what was addressed to us.
  Status edit_text(std::size_t index) {
    const HtmlText& text = work_.texts[index];
    const std::size_t related = related_around(text.part);
    std::vector<Replacement> replacements;
    for (const html::ElementEdit& edit : text.edits)
      replacements.push_back({edit.range, edit.replacement, nullptr});
    for (const html::Range& range : text.scan.removals) replacements.push_back({range, {}, nullptr});
    for (const Finding& finding : work_.findings) {
      if (finding.html != index || finding.picture == Finding::kNone || finding.decision == Decision::keep)
        continue;
      const html::Reference& reference = text.scan.references[finding.reference];
      const std::size_t container = related == mail::Part::kNone ? text.part : related;
      const std::string& id = content_id(container, finding.picture);
      const auto svg = text.svgs.find(finding.reference);
      std::string written = svg == text.svgs.end() ? html::replacement(reference, "cid:" + id)
                                                   : html::img_element(reference, "cid:" + id, svg->second);
      if (svg != text.svgs.end() && finding.decision == Decision::placeholder)
        written = html::with_alt(written, finding.reason);
      replacements.push_back({reference.range, std::move(written), &reference});
    }
    mail::EditList edits;
    if (!text.recoded && is_plain(tree_[text.part].encoding))
      keep_lines_short(text.text, eol_, replacements, edits);
    for (Replacement& replacement : replacements)
      edits.replace(replacement.range.begin, replacement.range.end, std::move(replacement.text));
    if (edits.empty()) return Done{};
    Result<std::string> changed = edits.apply(text.text);
    if (!changed) return changed.error();
    write_text(text, edits, *changed);
    out_.new_text[text.part] = std::move(*changed);
    return Done{};
  }

  // Brings edits of the decoded text into the encoded body, line by line where the encoding allows.
  void write_text(const HtmlText& text, const mail::EditList& edits, std::string_view changed) {
    const mail::Part& part = tree_[text.part];
    const std::size_t base = part.body.begin;
    if (text.recoded) return write_recoded(part, text.part, changed);
    if (part.encoding == mail::Encoding::base64) {
      std::string encoded;
      base64::encode_lines(changed, eol_, encoded);
      // The last line end is there only if it was: in a multipart it belongs to the boundary.
      const std::string_view body = std::string_view(message_.bytes()).substr(base, part.body.size());
      if (!body.ends_with('\n') && encoded.size() >= eol_.size())
        encoded.resize(encoded.size() - eol_.size());
      out_.body_edits.replace(base, part.body.end, std::move(encoded));
      return;
    }
    if (part.encoding == mail::Encoding::quoted_printable) {
      write_quoted_printable(*text.mapped, part, edits);
      return;
    }
    for (const mail::Edit& edit : edits.edits())
      out_.body_edits.replace(base + edit.begin, base + edit.end, edit.replacement);
  }

  // A text that is UTF-8 now: another charset in its Content-Type, and an encoding that carries 8 bits.
  void write_recoded(const mail::Part& part, std::size_t index, std::string_view changed) {
    const bool base64 = part.encoding == mail::Encoding::base64;
    mail::Parameters parameters;
    for (const auto& [key, value] : part.parameters)
      parameters.emplace_back(key, key == "charset" ? "utf-8" : value);
    Assembly::Recoded recoded{" " + mail::structured_value(part.type, parameters, 14),
                              base64 ? " base64" : " quoted-printable"};
    std::string encoded;
    if (base64)
      base64::encode_lines(changed, eol_, encoded);
    else
      quoted_printable::encode_text(changed, eol_, encoded);
    const std::string_view body =
        std::string_view(message_.bytes()).substr(part.body.begin, part.body.size());
    if (base64 && !body.ends_with('\n') && !encoded.empty()) encoded.resize(encoded.size() - eol_.size());
    out_.body_edits.replace(part.body.begin, part.body.end, std::move(encoded));
    if (part.parent != mail::Part::kNone) {
      for (const mail::HeaderField& field : part.fields)
        if (const std::string* value = recoded_value(recoded, field))
          out_.body_edits.replace(field.begin, field.end, mail::field(field.name, *value, eol_));
      if (!has_field(part, "Content-Transfer-Encoding"))
        out_.body_edits.insert(part.header.end,
                               mail::field("Content-Transfer-Encoding", recoded.encoding, eol_));
    }
    out_.recoded[index] = std::move(recoded);
  }

  // The root keeps its fields where nothing was put round it.
  void recode_root(const mail::Part& part, const Assembly::Recoded& recoded) {
    for (const mail::HeaderField& field : part.fields)
      if (const std::string* value = recoded_value(recoded, field))
        change(mail::HeaderChange::Kind::replace, std::string(field.name), *value);
    if (!has_field(part, "Content-Transfer-Encoding"))
      change(mail::HeaderChange::Kind::append, "Content-Transfer-Encoding", recoded.encoding);
  }

  static const std::string* recoded_value(const Assembly::Recoded& recoded, const mail::HeaderField& field) {
    if (ascii::iequals(field.name, "Content-Type")) return &recoded.content_type;
    if (ascii::iequals(field.name, "Content-Transfer-Encoding")) return &recoded.encoding;
    return nullptr;
  }

  static bool has_field(const mail::Part& part, std::string_view name) {
    return std::any_of(part.fields.begin(), part.fields.end(),
                       [&](const mail::HeaderField& field) { return ascii::iequals(field.name, name); });
  }

  // Only the lines at the edits change; soft breaks keep them within 76 characters.
  void write_quoted_printable(const quoted_printable::Mapped& mapped, const mail::Part& part,
                              const mail::EditList& edits) {
    const std::string_view body =
        std::string_view(message_.bytes()).substr(part.body.begin, part.body.size());
    std::vector<const mail::Edit*> sorted;
    for (const mail::Edit& edit : edits.edits()) sorted.push_back(&edit);
    std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->begin < b->begin; });
    std::size_t done = 0;         // end of the edit before, in the encoded body
    std::size_t done_column = 0;  // where it left the line
    for (const mail::Edit* edit : sorted) {
      const std::size_t begin = mapped.encoded_offset(edit->begin);
      const std::size_t end = std::max(begin, mapped.encoded_end(edit->end));
      const std::size_t line = begin == 0 ? 0 : body.rfind('\n', begin - 1) + 1;  // npos + 1 is 0
      const std::size_t column = line >= done ? begin - line : done_column + (begin - done);
      std::string encoded;
      done_column = quoted_printable::encode_run(edit->replacement, eol_, column, encoded);
      const std::size_t rest = std::min(body.find(eol_, end), body.size()) - end;
      if (rest > 0 && done_column + rest > quoted_printable::kLineLimit) {
        encoded.append("=").append(eol_);
        done_column = 0;
      }
      out_.body_edits.replace(part.body.begin + begin, part.body.begin + end, std::move(encoded));
      done = end;
    }
  }

  // Puts the new image parts of a container where they belong.
  void place_new_parts(std::size_t container, const std::vector<NewPart>& parts) {
    const mail::Part& part = tree_[container];
    if (part.is_multipart()) {
      std::string text;
      text.reserve(room_for(parts));
      for (const NewPart& new_part : parts)
        write_part(new_part, text.append("--").append(part.boundary).append(eol_));
      out_.body_edits.insert(part.delimiters.back().begin, std::move(text));
      return;
    }
    std::vector<std::string> ids;
    for (const NewPart& new_part : parts) ids.push_back(new_part.content_id);
    const std::string boundary = fresh_boundary(ids);
    out_.wrapped[container] = boundary;
    std::string tail;
    tail.reserve(room_for(parts));
    tail.append(eol_);
    for (const NewPart& new_part : parts)
      write_part(new_part, tail.append("--").append(boundary).append(eol_));
    tail.append("--").append(boundary).append("--");
    const std::string open = "--" + boundary + std::string(eol_);
    const std::string type =
        mail::structured_value("multipart/related", {{"type", "text/html"}, {"boundary", boundary}}, 14);
    if (part.parent == mail::Part::kNone) {
      const auto recoded = out_.recoded.find(container);
      wrap_root(part, type, open, recoded == out_.recoded.end() ? nullptr : &recoded->second);
      tail.append(eol_);
      out_.body_edits.insert(part.body.end, std::move(tail));
      return;
    }
    out_.body_edits.insert(part.header.begin,
                           mail::field("Content-Type", " " + type, eol_) + std::string(eol_) + open);
    out_.body_edits.insert(part.body.end, std::move(tail));
  }

  // The message's own Content- fields describe the HTML: they move into its part.
  void wrap_root(const mail::Part& part, const std::string& type, const std::string& open,
                 const Assembly::Recoded* recoded) {
    std::string moved;
    for (const mail::HeaderField& field : part.fields) {
      if (!is_content_field(field)) continue;
      const std::string* value = recoded == nullptr ? nullptr : recoded_value(*recoded, field);
      if (value != nullptr)
        moved.append(mail::field(field.name, *value, eol_));
      else
        moved.append(message_.bytes(), field.begin, field.end - field.begin);
      const std::string name(field.name);
      if (ascii::iequals(name, "Content-Type")) {
        change(mail::HeaderChange::Kind::replace, name, " " + type);
      } else if (recoded == nullptr && ascii::iequals(name, "Content-Transfer-Encoding") &&
                 (part.encoding == mail::Encoding::eight_bit || part.encoding == mail::Encoding::binary)) {
        continue;  // RFC 2045 section 6.4: the multipart says 8bit when a part of it is
      } else {
        removals_.push_back({mail::HeaderChange::Kind::remove, name, occurrence(field), {}});
      }
    }
    if (recoded != nullptr && !has_field(part, "Content-Transfer-Encoding"))
      moved.append(mail::field("Content-Transfer-Encoding", recoded->encoding, eol_));
    // From the last to the first, so that an index never moves under the next removal.
    out_.header_changes.insert(out_.header_changes.end(), removals_.rbegin(), removals_.rend());
    add_mime_version();
    out_.body_edits.insert(part.body.begin, open + moved + std::string(eol_));
  }

  void replace_part(const Finding& finding) {
    const mail::Part& part = tree_[finding.part];
    const Picture& picture = work_.pictures[finding.picture];
    const std::string type = mail::structured_value(image::media_type(picture.result.format),
                                                    {{"name", picture_name(finding)}}, 14);
    const bool root = part.parent == mail::Part::kNone;
    bool has_type = false, has_encoding = false;
    for (const mail::HeaderField& field : part.fields) {
      std::string value;
      if (ascii::iequals(field.name, "Content-Type")) {
        has_type = true;
        value = type;
      } else if (ascii::iequals(field.name, "Content-Transfer-Encoding")) {
        has_encoding = true;
        value = "base64";
      } else if (ascii::iequals(field.name, "Content-Disposition")) {
        value = disposition(part, picture_name(finding));
      } else {
        // RFC 1864 and RFC 2183: a digest or length of the old bytes would be wrong now.
        if (!ascii::iequals(field.name, "Content-MD5") && !ascii::iequals(field.name, "Content-Length"))
          continue;
        if (root)
          change(mail::HeaderChange::Kind::remove, std::string(field.name), {});
        else
          out_.body_edits.remove(field.begin, field.end);
        continue;
      }
      if (root)
        change(mail::HeaderChange::Kind::replace, std::string(field.name), " " + value);
      else
        out_.body_edits.replace(field.begin, field.end, mail::field(field.name, " " + value, eol_));
    }
    std::string added;
    if (!has_type) added += mail::field("Content-Type", " " + type, eol_);
    if (!has_encoding) added += mail::field("Content-Transfer-Encoding", " base64", eol_);
    if (root) {
      if (!has_encoding) change(mail::HeaderChange::Kind::append, "Content-Transfer-Encoding", " base64");
      add_mime_version();
    } else if (!added.empty()) {
      out_.body_edits.insert(part.header.end, std::move(added));
    }
    std::string encoded;
    picture.append_lines(eol_, encoded);
    const std::string_view body =
        std::string_view(message_.bytes()).substr(part.body.begin, part.body.size());
    if (!root && !body.ends_with('\n') && !encoded.empty()) encoded.resize(encoded.size() - eol_.size());
    out_.body_edits.replace(part.body.begin, part.body.end, std::move(encoded));
    out_.replaced[finding.part] = finding.picture;
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
    add("Content-Type",
        mail::structured_value(image::media_type(picture.result.format), {{"name", finding.new_name}}, 14));
    add("Content-Transfer-Encoding", "base64");
    add("Content-Disposition",
        mail::structured_value(disposition_of(finding), {{"filename", finding.new_name}}, 21));
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
    const std::string boundary = fresh_boundary(content);
    const std::string line = "--" + boundary + std::string(eol_);
    std::vector<ContentField> fields;
    if (first.external) {
      fields = external_fields(work_, first);
    } else {
      fields.emplace_back("Content-Type",
                          " " + mail::structured_value(image::media_type(picture.result.format),
                                                       {{"name", first.new_name}}, 14));
      fields.emplace_back("Content-Transfer-Encoding", " base64");
      if (has_field(part, "Content-Disposition"))
        fields.emplace_back("Content-Disposition", " " + disposition(part, first.new_name));
    }
    const std::size_t ours = fields.size();
    for (const mail::HeaderField& field : part.fields) {
      if (!is_content_field(field)) continue;
      const std::string name(field.name);
      if (ascii::iequals(name, "Content-Type")) {
        change(mail::HeaderChange::Kind::replace, name,
               " " + mail::structured_value("multipart/mixed", {{"boundary", boundary}}, 14));
        continue;
      }
      removals_.push_back({mail::HeaderChange::Kind::remove, name, occurrence(field), {}});
      const bool said = std::any_of(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(ours),
                                    [&](const ContentField& own) { return ascii::iequals(own.first, name); });
      if (!said && !ascii::iequals(name, "Content-MD5") && !ascii::iequals(name, "Content-Length"))
        fields.emplace_back(name, field.raw_value);
    }
    out_.header_changes.insert(out_.header_changes.end(), removals_.rbegin(), removals_.rend());
    add_mime_version();
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
      const std::string name(field.name);
      if (ascii::iequals(name, "Content-Type"))
        change(mail::HeaderChange::Kind::replace, name, std::string(kTextType));
      else if (ascii::iequals(name, "Content-Transfer-Encoding"))
        change(mail::HeaderChange::Kind::replace, name, std::string(kTextEncoding));
      else
        removals_.push_back({mail::HeaderChange::Kind::remove, name, occurrence(field), {}});
    }
    if (!has_field(part, "Content-Transfer-Encoding"))
      change(mail::HeaderChange::Kind::append, "Content-Transfer-Encoding", std::string(kTextEncoding));
    out_.header_changes.insert(out_.header_changes.end(), removals_.rbegin(), removals_.rend());
    add_mime_version();
    std::string text;
    quoted_printable::encode_text(reason, eol_, text);
    out_.body_edits.replace(part.body.begin, part.body.end, text.append(eol_));
  }

  // The disposition as it was but for the file name, and without the size of the old bytes.
  static std::string disposition(const mail::Part& part, const std::string& name) {
    mail::Parameters parameters;
    bool named = false;
    for (const auto& [key, value] : part.disposition_parameters) {
      if (key == "size") continue;
      if (key == "filename") named = true;
      parameters.emplace_back(key, key == "filename" ? name : value);
    }
    if (!named) parameters.emplace_back("filename", name);
    return mail::structured_value(part.disposition.empty() ? "attachment" : part.disposition, parameters, 21);
  }

  const std::string& picture_name(const Finding& finding) const { return finding.new_name; }

  // Enough for the parts with their boundary lines, so that what is large is not moved on the way.
  std::size_t room_for(const std::vector<NewPart>& parts) const {
    constexpr std::size_t kHeader = 1000;
    std::size_t bytes = kHeader;
    for (const NewPart& part : parts) bytes += work_.pictures[part.picture].size() / 2 * 3 + kHeader;
    return bytes;
  }

  void write_part(const NewPart& part, std::string& out) const {
    const Picture& picture = work_.pictures[part.picture];
    out += mail::image_part_header({image::media_type(picture.result.format), picture.name, part.content_id},
                                   eol_);
    picture.append_lines(eol_, out);
  }

  // From the content, and in no line of the message.
  std::string fresh_boundary(const std::vector<std::string>& content) {
    for (std::uint64_t attempt = 0;; ++attempt) {
      Hasher hasher;
      hasher.field(attempt).field(out_.wrapped.size());
      for (const std::string& one : content) hasher.field(one);
      // "=_" stands in no quoted-printable and no base64 text (RFC 2045 section 6.7).
      std::string boundary = "=_" + hex(hasher.finish(), kIdBytes);
      if (message_.bytes().find(boundary) == std::string::npos) return boundary;
    }
  }

  void add_mime_version() {
    if (message_.count("MIME-Version") == 0) change(mail::HeaderChange::Kind::append, "MIME-Version", " 1.0");
  }

  void change(mail::HeaderChange::Kind kind, std::string name, std::string value) {
    out_.header_changes.push_back(
        {kind, std::move(name), kind == mail::HeaderChange::Kind::append ? 0 : 1, std::move(value)});
  }

  // Which of the fields of its name this is, from 1.
  int occurrence(const mail::HeaderField& wanted) const {
    int index = 0;
    for (const mail::HeaderField& field : message_.fields()) {
      if (ascii::iequals(field.name, wanted.name)) ++index;
      if (field.begin == wanted.begin) break;
    }
    return index;
  }

  const Work& work_;
  const mail::Message& message_;
  const mail::MimeTree& tree_;
  std::string_view eol_;
  std::set<std::string> taken_ids_;
  std::vector<mail::HeaderChange> removals_;
  Assembly out_;
};

}  // namespace

Result<Assembly> assemble(const Work& work) { return Assembler(work).run(); }

}  // namespace pixmilter::core
