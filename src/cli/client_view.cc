#include "cli/client_view.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/ascii.h"
#include "base/base64.h"
#include "cli/contained_html.h"
#include "html/charset.h"
#include "image/format.h"
#include "image/header.h"
#include "mail/mime_tree.h"

namespace pixmilter::cli {
namespace {

constexpr std::size_t kMostPlain = 200'000;     // bytes of a plain text that are shown
constexpr std::size_t kMostPicture = 6u << 20;  // bytes of one picture that is shown
constexpr std::size_t kMostBlocks = 100;
constexpr double kFrameWidth = 480;  // CSS px, for the guess at a picture's height

class Viewer {
 public:
  Viewer(const mail::Message& message, const mail::MimeTree& tree, Room& room)
      : message_(message), tree_(tree), room_(room) {}

  ClientView view() {
    for (std::size_t i = 0; i < tree_.size(); ++i)
      if (!tree_[i].content_id.empty()) by_id_.emplace(tree_[i].content_id, i);
    show(0);
    // Pictures that no text names stand beneath the texts, as files do.
    for (const std::size_t part : loose_) {
      if (named_.contains(part)) continue;
      if (!tree_[part].is_attachment()) show_picture(part);
      if (tree_[part].is_attachment() || !shown_.contains(part)) add_file(part);
    }
    return std::move(view_);
  }

 private:
  void show(std::size_t index) {
    const mail::Part& part = tree_[index];
    if (part.type == "multipart/alternative") return show_best(part);
    if (part.type == "multipart/related") return show_related(index);
    if (part.is_multipart()) {
      const bool last_is_signature = part.type == "multipart/signed" && part.children.size() == 2;
      for (const std::size_t child : part.children)
        if (!last_is_signature || child == part.children.front()) show(child);
      return;
    }
    const bool text = !part.is_attachment() || part.parent == mail::Part::kNone;
    if (text && part.type == "text/html")
      show_html(index);
    else if (text && (part.type == "text/plain" || part.type == "text/enriched"))
      show_plain(index);
    else if (part.type.starts_with("image/"))
      loose_.push_back(index);
    else
      add_file(index);
  }

  // RFC 2046: the last that can be shown.
  void show_best(const mail::Part& part) {
    for (auto child = part.children.rbegin(); child != part.children.rend(); ++child)
      if (showable(*child)) return show(*child);
    for (const std::size_t child : part.children) add_file(child);
  }

  bool showable(std::size_t index) const {
    const mail::Part& part = tree_[index];
    if (part.is_multipart())
      return std::any_of(part.children.begin(), part.children.end(),
                         [this](std::size_t child) { return showable(child); });
    return part.type == "text/html" || part.type == "text/plain" || part.type == "text/enriched";
  }

  // The others are what the root names.
  void show_related(std::size_t index) {
    const mail::Part& part = tree_[index];
    if (part.children.empty()) return;
    const std::size_t root = tree_.related_root(index);
    show(root);
    for (const std::size_t child : part.children)
      if (child != root) show_beside(child);
  }

  void show_beside(std::size_t index) {
    if (tree_[index].is_multipart())
      for (const std::size_t child : tree_[index].children) show_beside(child);
    else
      loose_.push_back(index);
  }

  std::string text_of(const mail::Part& part) const {
    const std::string* charset = part.parameter("charset");
    return in_utf8(mail::decoded_body(message_, part), charset == nullptr ? std::string_view() : *charset);
  }

  void show_html(std::size_t index) {
    if (view_.blocks.size() >= kMostBlocks) return add_file(index);
    ContainedHtml html =
        contained_html(text_of(tree_[index]), [this](std::string_view id) { return picture_named(id); });
    view_.holes += html.holes;
    view_.pictures += html.pictures;
    ViewBlock block;
    block.kind = ViewBlock::Kind::html;
    block.text = std::move(html.document);
    block.height = html.height;
    block.cut = html.cut;
    view_.blocks.push_back(std::move(block));
  }

  void show_plain(std::size_t index) {
    if (view_.blocks.size() >= kMostBlocks) return add_file(index);
    ViewBlock block;
    block.text = text_of(tree_[index]);
    if (ascii::trim(block.text).empty()) return;
    block.cut = block.text.size() > kMostPlain;
    if (block.cut) block.text.resize(kMostPlain);
    view_.blocks.push_back(std::move(block));
  }

  Shown picture_named(std::string_view id) {
    const auto found = by_id_.find(std::string(id));
    if (found == by_id_.end()) return {};
    named_.insert(found->second);
    return picture_of(found->second);
  }

  // The part's picture, encoded once however often it is named.
  Shown picture_of(std::size_t index) {
    const auto known = pictures_.find(index);
    if (known != pictures_.end()) {
      Shown again = known->second;
      if (!room_.take(again.uri.size())) again = {{}, Hole::large, 0};
      return again;
    }
    Shown shown;
    const std::string bytes = mail::decoded_body(message_, tree_[index]);
    const image::Format format = image::sniff(bytes);
    if (!image::shown_everywhere(format)) return pictures_[index] = shown;
    shown.hole = Hole::large;
    if (bytes.size() > kMostPicture || !room_.take(bytes.size() * 4 / 3 + 32))
      return pictures_[index] = shown;
    shown.uri = data_uri(image::media_type(format), bytes);
    if (const Result<image::Header> header = image::read_header(bytes); header && header->width > 0)
      shown.height = header->height * std::min(1.0, kFrameWidth / header->width);
    return pictures_[index] = shown;
  }

  void show_picture(std::size_t index) {
    if (view_.blocks.size() >= kMostBlocks) return;
    const Shown shown = picture_of(index);
    if (shown.uri.empty() && shown.hole != Hole::large) return;
    ViewBlock block;
    block.kind = ViewBlock::Kind::picture;
    block.text = shown.uri;
    block.name = tree_[index].filename;
    view_.blocks.push_back(std::move(block));
    shown_.insert(index);
    ++view_.pictures;
  }

  void add_file(std::size_t index) {
    const mail::Part& part = tree_[index];
    ViewFile file;
    file.name = part.filename.empty() ? part.description : part.filename;
    file.type = part.type;
    file.bytes = part.encoding == mail::Encoding::base64 ? part.body.size() / 78 * 57 : part.body.size();
    view_.files.push_back(std::move(file));
  }

  const mail::Message& message_;
  const mail::MimeTree& tree_;
  Room& room_;
  ClientView view_;
  std::map<std::string, std::size_t> by_id_;
  std::map<std::size_t, Shown> pictures_;
  std::vector<std::size_t> loose_;  // picture parts, in order
  std::set<std::size_t> named_;     // by some HTML
  std::set<std::size_t> shown_;
};

}  // namespace

ClientView client_view(const mail::Message& message, Room& room) {
  const Result<mail::MimeTree> tree = mail::MimeTree::parse(message);
  if (tree) return Viewer(message, *tree, room).view();
  ClientView view;
  view.problem = tree.error().text;
  return view;
}

std::string data_uri(std::string_view media_type, std::string_view bytes) {
  std::string out = "data:";
  out.append(media_type).append(";base64,");
  base64::encode(bytes, out);
  return out;
}

std::string in_utf8(std::string_view text, std::string_view label) {
  const html::Charset charset = html::charset_of(text, label);
  if (charset.encoding.empty()) return std::string(text);
  Result<std::string> converted = html::to_utf8(text, charset, html::OnInvalid::replace);
  return converted ? std::move(*converted) : std::string(text);
}

}  // namespace pixmilter::cli
