#include "core/find.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <set>

#include "base/ascii.h"
#include "base/percent.h"
#include "config/pattern.h"
#include "core/external_part.h"
#include "mail/header_text.h"
#include "source/data_uri.h"

namespace pixmilter::core {
namespace {

constexpr std::size_t kLabelLength = 60;

// Some letters of a URL for people; a data: URI only up to its comma.
std::string label_of(std::string_view url) {
  if (source::is_data_uri(url)) url = url.substr(0, std::min(url.find(','), url.size()));
  std::string label(url.substr(0, kLabelLength));
  for (char& c : label)
    if (c < ' ' || c > '~') c = '?';
  return label;
}

void set_label(std::string_view url, Finding& finding) {
  finding.label = label_of(url);
  if (!source::is_data_uri(url)) finding.label_query = url.substr(0, kLabelLength).find_first_of("?#");
}

// The text of an HTML part without its transfer encoding. False: an encoding that nobody knows.
bool decode(const mail::Message& message, const mail::Part& part, HtmlText& out) {
  const std::string_view body = std::string_view(message.bytes()).substr(part.body.begin, part.body.size());
  switch (part.encoding) {
    case mail::Encoding::seven_bit:
    case mail::Encoding::eight_bit:
    case mail::Encoding::binary:
      out.text = body;
      return true;
    case mail::Encoding::quoted_printable:
      out.mapped = std::make_unique<quoted_printable::Mapped>(body);
      out.text = out.mapped->decoded();
      return true;
    case mail::Encoding::base64:
      out.storage = mail::decoded_body(message, part);
      out.text = out.storage;
      return true;
    case mail::Encoding::unknown:
      return false;
  }
  return false;
}

// Scans the text as its charset demands. False: it cannot be turned into something to scan.
bool scan(const mail::Part& part, HtmlText& out) {
  const std::string* label = part.parameter("charset");
  out.charset = html::charset_of(out.text, label == nullptr ? std::string_view() : *label);
  if (out.charset.kind == html::CharsetKind::multibyte) {
    const std::string masked = html::masked(out.text, out.charset);
    out.scan = html::scan(masked);
    html::rebase(out.scan, masked, out.text);
    return true;
  }
  if (out.charset.kind == html::CharsetKind::foreign) {
    // Only what survives whole may be sent in another charset.
    Result<std::string> converted = html::to_utf8(out.text, out.charset, html::OnInvalid::fail);
    if (!converted) return false;
    out.storage = html::with_utf8_meta(*converted);
    out.text = out.storage;
    out.mapped.reset();
    out.recoded = true;
    out.charset = {html::CharsetKind::utf8, "UTF-8"};
  }
  out.scan = html::scan(out.text);
  return true;
}

class Finder {
 public:
  Finder(Work& work, const std::vector<std::string>& protection) : work_(work), protection_(protection) {
    for (const std::vector<config::ImageRule>* rules : work.plan.images) {
      has_image_rules_ = has_image_rules_ || !rules->empty();
      for (const config::ImageRule& rule : *rules)
        for (const config::Condition& condition : rule.conditions.match)
          attachments_ =
              attachments_ || (condition.key == config::Key::attachment && condition.truth.value_or(true));
    }
  }

  void run() {
    for (std::size_t i = 0; i < work_.tree.size(); ++i)
      if (work_.tree[i].type == "message/external-body" && protection_[i].empty()) read_external(i);
    for (std::size_t i = 0; i < work_.tree.size(); ++i)
      if (is_text_to_scan(i)) find_in_html(i);
    for (std::size_t i = 0; i < work_.tree.size(); ++i)
      if (protection_[i].empty()) look_at_part(i);
  }

 private:
  bool is_text_to_scan(std::size_t index) const {
    const mail::Part& part = work_.tree[index];
    if (part.type != "text/html" || !protection_[index].empty()) return false;
    // The root of a message is its text, whatever name it gives itself.
    return !part.is_attachment() || (part.parent == mail::Part::kNone && part.disposition.empty());
  }

  Finding finding_at(std::size_t part) const {
    Finding finding;
    finding.part = part;
    finding.part_number = work_.tree.number(part);
    return finding;
  }

  void find_in_html(std::size_t index) {
    const mail::Part& part = work_.tree[index];
    HtmlText& text = work_.texts.emplace_back();
    text.part = index;
    const bool decoded = decode(work_.message, part, text);
    if (!decoded || !scan(part, text)) {
      const std::string* charset = part.parameter("charset");
      work_.texts.pop_back();
      return add_silent(index, decoded ? "HTML in the charset \"" +
                                             label_of(charset == nullptr ? std::string_view() : *charset) +
                                             "\", which cannot be read as text"
                                       : "HTML in a Content-Transfer-Encoding that nobody knows");
    }
    for (std::size_t i = 0; i < text.scan.references.size(); ++i) {
      const html::Reference& reference = text.scan.references[i];
      Finding finding = finding_at(index);
      finding.html = work_.texts.size() - 1;
      finding.reference = i;
      finding.place = reference.place;
      if (reference.place == html::Place::inline_svg) {
        finding.source = Source::svg;
        finding.label = "<svg>";
      } else {
        std::string scratch;
        const std::string_view url = html::url(reference, scratch);
        set_label(url, finding);
        if (!source::is_data_uri(url)) {
          look_at_link(url, finding);
          work_.findings.push_back(std::move(finding));
          continue;
        }
        finding.source = Source::data;
      }
      work_.findings.push_back(std::move(finding));
    }
  }

  // A reference that is no picture in itself. Said in explain alone: mail readers deal with it.
  void look_at_link(std::string_view url, Finding& finding) {
    finding.silent = true;
    finding.source = Source::http;
    if (ascii::istarts_with(url, "cid:")) {
      std::string id = content_id_of(url);
      finding.source = Source::part;
      const bool there =
          std::any_of(work_.tree.parts().begin(), work_.tree.parts().end(),
                      [&](const mail::Part& part) { return part.content_id == id; }) ||
          std::any_of(work_.externals.begin(), work_.externals.end(),
                      [&](const auto& external) { return external.second.inner.content_id == id; });
      finding.reason = there ? "names a part of the message" : "no part of the message has this Content-ID";
      named_.insert(std::move(id));
    } else if (ascii::istarts_with(url, "http:") || ascii::istarts_with(url, "https:")) {
      finding.reason = "a link that is not fetched: [fetch] allow lists nothing";
    } else if (url.empty()) {
      finding.reason = "empty";
    } else if (ascii::istarts_with(url, "asset:") || ascii::istarts_with(url, "file:")) {
      finding.source = ascii::istarts_with(url, "asset:") ? Source::asset : Source::file;
      serve(finding);
    } else {
      finding.reason = "no data: URI, and no mail client can follow it";
    }
  }

  // A picture to be had elsewhere. Where the rules do not allow its source, it is none of our business.
  void serve(Finding& finding) const {
    finding.silent = !allowed(finding.source, work_.plan.policy.sources);
    if (finding.silent)
      finding.reason = "source \"" + std::string(name(finding.source)) + "\" is not allowed";
  }

  void read_external(std::size_t index) {
    Result<mail::ExternalBody> external = mail::read_external_body(work_.message, work_.tree[index]);
    if (external)
      work_.externals.emplace(index, std::move(*external));
    else
      unread_.emplace(index, external.error().text);
  }

  // A part that stands for bytes that lie elsewhere (RFC 2046 section 5.2.3).
  void look_at_external(std::size_t index) {
    Finding finding = finding_at(index);
    finding.external = true;
    finding.asked = true;
    finding.source = Source::part;  // until its access type says where the bytes are
    finding.silent = true;
    finding.label = "message/external-body";
    if (const auto found = work_.externals.find(index); found != work_.externals.end())
      look_at_external(found->second, finding);
    else
      finding.reason = unread_.at(index);
    work_.findings.push_back(std::move(finding));
  }

  void look_at_external(const mail::ExternalBody& external, Finding& finding) const {
    const mail::Part& outer = work_.tree[finding.part];
    const bool by_cid = named_.contains(content_id_of(external, outer));
    const std::string& disposition = disposition_part(external, outer).disposition;
    finding.attachment = disposition != "inline" && !by_cid;
    const std::string_view type = external.inner.type;
    const bool local = external.access_type == "local-file";
    if (external.url.empty())
      finding.label = label_of(external.name);
    else
      set_label(external.url, finding);
    if (!type.starts_with("image/") && type != "application/x-npy" &&
        !(type == "application/octet-stream" && by_cid)) {
      finding.reason = "stands for no image but for " + std::string(type);
    } else if (local || ascii::istarts_with(external.url, "asset:")) {
      // A path of this machine's is a file; a name is an asset's.
      finding.source = external.name.starts_with('/') ? Source::file : Source::asset;
      serve(finding);
    } else if (ascii::istarts_with(external.url, "file:")) {
      finding.source = Source::file;
      serve(finding);
    } else if (ascii::istarts_with(external.url, "http:") || ascii::istarts_with(external.url, "https:")) {
      finding.source = Source::http;
      serve(finding);
    } else {
      finding.reason = external.url.empty()
                           ? "access type \"" + label_of(external.access_type) + "\" is not served"
                           : "a URL that is not served";
    }
    if (finding.reason.empty()) finding.reason = why_not_now(external);
    if (finding.silent || finding.reason.empty()) return;
    finding.failed = true;
    finding.failure = config::Failure::missing;
  }

  // What the part itself says against it.
  static std::string why_not_now(const mail::ExternalBody& external) {
    if (!external.expiration.empty()) {
      const std::optional<std::int64_t> expires = mail::date(external.expiration);
      if (!expires) return "an expiration that is no date";
      if (*expires < static_cast<std::int64_t>(std::time(nullptr))) return "expired";
    }
    if (!external.site.empty() && !is_this_host(external.site)) return "a file of another site";
    return {};
  }

  // RFC 2046 section 5.2.3.2: a domain name, in which * stands for a part of it.
  static bool is_this_host(std::string_view site) {
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) return false;
    const std::string pattern = ascii::to_lower(site);
    const std::string name = ascii::to_lower(host.data());
    if (pattern == "localhost" || config::glob_matches(pattern, name)) return true;
    // Many hosts know only the first label of their name.
    return name.find('.') == std::string::npos &&
           config::glob_matches(std::string_view(pattern).substr(0, pattern.find('.')), name);
  }

  void look_at_part(std::size_t index) {
    const mail::Part& part = work_.tree[index];
    if (part.type == "message/external-body") return look_at_external(index);
    if (part.is_multipart() || part.type.starts_with("text/")) return;
    const bool picture = part.type.starts_with("image/");
    const bool by_cid = !part.content_id.empty() && named_.contains(part.content_id);
    const bool octets = part.type == "application/octet-stream";
    // An explicit ask, whatever the disposition; or a picture in the text that mail clients do not show.
    const bool asked = part.type == "image/x-raw-pixels" || part.type == "application/x-npy";
    const bool shown = (picture || (octets && by_cid)) && (by_cid || !part.is_attachment());
    // With a budget, what is shown as it is may have to become smaller.
    const bool budget = shown && work_.plan.policy.max_message_bytes > 0;
    const bool ruled =
        (shown && has_image_rules_) || ((picture || octets) && part.is_attachment() && attachments_);
    const bool looked_at = asked || ruled || (shown && (octets || !shown_everywhere(part.type)));
    if (!looked_at && !budget) {
      if (picture || octets)
        add_silent(index, part.is_attachment() ? "an attached file: no image rule says attachment = true"
                                               : "shown as it is");
      return;
    }
    Finding finding = finding_at(index);
    finding.source = Source::part;
    finding.attachment = part.is_attachment() && !by_cid;
    finding.asked = asked;
    finding.silent = !looked_at;
    finding.label = label_of_part(part);
    work_.findings.push_back(std::move(finding));
  }

  static const std::string& label_of_part(const mail::Part& part) {
    return !part.filename.empty() ? part.filename : !part.content_id.empty() ? part.content_id : part.type;
  }

  // A part that stays as it is without a further look: only explain speaks of it.
  void add_silent(std::size_t index, std::string reason) {
    Finding finding = finding_at(index);
    finding.source = Source::part;
    finding.silent = true;
    finding.attachment = work_.tree[index].is_attachment();
    finding.label = label_of_part(work_.tree[index]);
    finding.reason = std::move(reason);
    work_.findings.push_back(std::move(finding));
  }

  static bool shown_everywhere(std::string_view type) {
    return type == "image/png" || type == "image/jpeg" || type == "image/jpg" || type == "image/gif";
  }

  Work& work_;
  const std::vector<std::string>& protection_;
  std::set<std::string> named_;                // Content-IDs that some HTML shows
  std::map<std::size_t, std::string> unread_;  // message/external-body parts, and why they cannot be read
  bool has_image_rules_ = false;
  bool attachments_ = false;  // some image rule names attachments
};

}  // namespace

std::string content_id_of(std::string_view url) { return percent::decoded_where_valid(url.substr(4)); }

void find(Work& work, const std::vector<std::string>& protection) { Finder(work, protection).run(); }

}  // namespace pixmilter::core
