#include "core/acquire.h"

#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/percent.h"
#include "core/links.h"
#include "html/charset.h"
#include "image/header.h"
#include "image/npy.h"
#include "image/raw_params.h"
#include "source/data_uri.h"
#include "source/svg_template.h"

namespace pixmilter::core {
namespace {

config::Failure failure_of(source::FetchStatus status) {
  switch (status) {
    case source::FetchStatus::ok:
      return config::Failure::unreadable;
    case source::FetchStatus::not_modified:
    case source::FetchStatus::missing:
      return config::Failure::missing;
    case source::FetchStatus::limit:
      return config::Failure::limit;
    case source::FetchStatus::timeout:
      return config::Failure::timeout;
    case source::FetchStatus::internal:
      return config::Failure::internal;
  }
  return config::Failure::internal;
}

// A name from a message as it may stand in a log line or a reply.
std::string quoted(std::string_view name) {
  constexpr std::size_t kLength = 80;
  std::string out(name.substr(0, kLength));
  for (char& c : out)
    if (c < ' ' || c > '~' || c == '"' || c == '\\') c = '?';
  return "\"" + out + (name.size() > kLength ? "...\"" : "\"");
}

// From so many characters of base64 on a second copy of the picture, for the worker, is worth avoiding.
constexpr std::size_t kMany = std::size_t{1} << 20;
constexpr std::string_view kRawPixels = "image/x-raw-pixels";

// SVG is read as UTF-8 unless it says otherwise itself; where a charset stands beside it (RFC 7303 section
// 3), nothing in it does.
void in_utf8(source::DataUri& data) {
  constexpr std::size_t kDeclaration = 200;  // bytes that an XML declaration stands in
  if (data.media_type != "image/svg+xml") return;
  if (std::string_view(data.bytes).substr(0, kDeclaration).find("encoding") != std::string_view::npos) return;
  for (const auto& [name, value] : data.parameters) {
    if (name != "charset") continue;
    const html::Charset charset = html::charset_of(data.bytes, value);
    if (charset.kind == html::CharsetKind::utf8 || charset.encoding.empty()) return;
    if (Result<std::string> utf8 = html::to_utf8(data.bytes, charset, html::OnInvalid::fail))
      data.bytes = *std::move(utf8);
    return;
  }
}

}  // namespace

Status Acquirer::acquire(Finding& finding, Picture& picture) {
  finding.failure = config::Failure::unreadable;
  switch (finding.source) {
    case Source::data:
      return from_data_uri(finding, picture);
    case Source::svg:
      return from_inline_svg(finding, picture);
    case Source::part:
      return from_part(finding, picture);
    case Source::asset:
    case Source::file:
      return from_asset(finding, picture);
    case Source::http:
      return from_url(finding, picture);
  }
  return Error{"unknown source"};
}

Status Acquirer::from_data_uri(const Finding& finding, Picture& picture) {
  // What is written out in the URL is text of the page; all that is encoded in it is ASCII.
  std::string scratch;
  Result<source::DataUri> data = source::read_data_uri(url_of(work_, finding, scratch));
  if (!data) return data.error();
  in_utf8(*data);
  picture.storage = std::move(data->bytes);
  picture.job.bytes = picture.storage;
  if (data->media_type == kRawPixels) return read_raw(data->parameters, true, picture);
  if (Status recognised = recognise(picture); !recognised) return recognised;
  if (picture.job.format != image::Format::npy) return Done{};
  return image::read_raw_settings(data->parameters, picture.job.settings);
}

Status Acquirer::from_inline_svg(Finding& finding, Picture& picture) {
  HtmlText& text = work_.texts[finding.html];
  std::unique_ptr<html::InlineSvgs>& svgs = svgs_[finding.html];
  if (!svgs) svgs = std::make_unique<html::InlineSvgs>(text.text, text.charset);
  Result<html::InlineSvg> svg = svgs->read(*work_.reference(finding));
  if (!svg) return svg.error();
  if (svg->hidden) {
    finding.silent = true;
    return Error{"inline svg is not shown"};
  }
  picture.storage = std::exchange(svg->document, {});
  picture.job.bytes = picture.storage;
  picture.job.format = image::Format::svg;
  picture.job.settings.svg_scale = config::ImagePlan{}.density;
  text.svgs[finding.reference] = std::move(*svg);
  return Done{};
}

// Many bytes are decoded to where a worker reads them. False: they are not so many, or it cannot be done.
bool Acquirer::decode_to_memory(const mail::Part& part, Picture& picture) const {
  if (part.encoding != mail::Encoding::base64 || part.body.size() < kMany) return false;
  const std::string_view body =
      std::string_view(work_.message.bytes()).substr(part.body.begin, part.body.size());
  Result<SharedBytes> memory = SharedBytes::make(base64::most_decoded(body.size()));
  if (!memory || !memory->seal(base64::decode_lenient(body, memory->room()))) return false;
  picture.memory = *std::move(memory);
  return true;
}

Status Acquirer::from_part(const Finding& finding, Picture& picture) {
  const mail::Part& part = work_.tree[finding.part];
  if (part.encoding == mail::Encoding::unknown) return Error{"unknown Content-Transfer-Encoding"};
  if (decode_to_memory(part, picture)) {
    picture.job.bytes = picture.memory.view();
    picture.job.memfd = picture.memory.fd();
  } else if (part.encoding == mail::Encoding::base64 || part.encoding == mail::Encoding::quoted_printable) {
    picture.storage = mail::decoded_body(work_.message, part);
    picture.job.bytes = picture.storage;
  } else {
    picture.job.bytes = std::string_view(work_.message.bytes()).substr(part.body.begin, part.body.size());
  }
  return read_as(part, finding.asked, picture);
}

// The bytes, as a part of this type and these parameters says they are.
Status Acquirer::read_as(const mail::Part& part, bool asked, Picture& picture) {
  if (picture.job.bytes.empty()) return Error{"empty"};
  if (part.type == kRawPixels) return read_raw(part.parameters, asked, picture);
  if (part.type == "application/x-npy" && image::sniff(picture.job.bytes) != image::Format::npy)
    return Error{"no .npy file"};
  if (Status recognised = recognise(picture); !recognised) return recognised;
  if (asked) return image::read_raw_settings(part.parameters, picture.job.settings);
  return Done{};
}

// Bare pixels: only the parameters say what they are.
Status Acquirer::read_raw(const image::Parameters& parameters, bool asked, Picture& picture) {
  Result<image::RawLayout> layout = image::read_raw_layout(parameters, picture.job.bytes);
  if (!layout) return layout.error();
  picture.job.format = image::Format::raw;
  picture.job.layout = *layout;
  return asked ? image::read_raw_settings(parameters, picture.job.settings) : Status(Done{});
}

Status Acquirer::from_url(Finding& finding, Picture& picture) {
  const auto found = work_.fetched.find(finding.url);
  if (found == work_.fetched.end()) {
    finding.failure = config::Failure::missing;
    return Error{"it was not fetched"};
  }
  const source::FetchResponse& response = found->second;
  finding.failure = failure_of(response.status);
  if (response.status != source::FetchStatus::ok) return Error{response.reason};
  // They stay where they are as long as the message is in hand.
  picture.job.bytes = response.bytes;
  Status recognised = Done{};
  if (finding.external) {
    const std::string_view path = std::string_view(finding.url).substr(0, finding.url.find_first_of("?#"));
    finding.file_name = percent::decoded(path.substr(path.rfind('/') + 1)).value_or("");
    recognised = read_as(work_.externals.at(finding.part).inner, finding.asked, picture);
  } else {
    recognised = recognise(picture);
  }
  if (recognised || response.content_type.empty()) return recognised;
  return Error{recognised.error().text + "; the server calls it " + response.content_type};
}

Result<source::AssetName> Acquirer::asset_name(const Finding& finding) const {
  if (finding.external && work_.externals.at(finding.part).access_type == "local-file")
    return source::read_plain_name(work_.externals.at(finding.part).name, root_);
  std::string scratch;
  const std::string_view url = url_of(work_, finding, scratch);
  return finding.source == Source::file ? source::read_file_url(url, root_) : source::read_asset_url(url);
}

// The file, filled in where it is a template.
Result<std::string> Acquirer::asset_bytes(const source::AssetName& name) const {
  const std::uint64_t max_bytes = settings_.assets.max_bytes;
  const bool templates = work_.plan.policy.templates;
  if (name.has_query && !templates) return Error{"it takes no values: no rule says templates = true"};
  Result<std::string> bytes = source::read_asset(root_, name, max_bytes);
  if (!bytes || !templates) return bytes;
  if (image::sniff(*bytes) != image::Format::svg)
    return name.has_query ? Result<std::string>(Error{"it takes no values: it is no SVG"}) : bytes;
  Result<source::TemplateValues> values = source::read_query(name.query);
  if (!values) return values.error();
  return source::fill_template(*bytes, *values, max_bytes);
}

Status Acquirer::from_asset(Finding& finding, Picture& picture) {
  finding.failure = config::Failure::missing;
  if (work_.plan.assets_differ) return Error{"the recipients' rules name different asset folders"};
  const std::string said(name(finding.source));
  const Result<source::AssetName> named = asset_name(finding);
  if (!named) return Error{said + " " + quoted(label_for_log(finding)) + ": " + named.error().text};
  finding.file_name = named->path.substr(named->path.rfind('/') + 1);  // npos + 1 is 0
  const std::string key = named->path + (named->has_query ? "?" + named->query : "");
  auto known = shared_.find(key);
  if (known == shared_.end()) {
    // Names cost a sender nothing, reading costs us: what may become a picture is what is looked for.
    if (shared_.size() >= work_.plan.policy.max_images) {
      finding.failure = config::Failure::limit;
      return Error{"more than max_images = " + std::to_string(work_.plan.policy.max_images)};
    }
    if (deadline_.passed()) {
      finding.failure = config::Failure::timeout;
      return Error{"no time is left for it"};
    }
    // Each query makes another picture of a template: a few letters of the sender's, a whole file of ours.
    const std::uint64_t most = settings_.assets.max_total;
    const auto no_room = [&] {
      finding.failure = config::Failure::limit;
      return Error{"more than [assets] max_total = " + std::to_string(most)};
    };
    if (shared_full_) return no_room();
    Result<std::string> bytes = asset_bytes(*named);
    shared_full_ = bytes && bytes->size() > most - shared_bytes_;
    if (shared_full_) return no_room();
    if (bytes) {
      shared_bytes_ += bytes->size();
      const Digest digest = sha256(*bytes);
      known = shared_.emplace(key, Shared{std::make_shared<std::string>(std::move(*bytes)), digest}).first;
    } else {
      known = shared_.emplace(key, Error{said + " " + quoted(named->path) + ": " + bytes.error().text}).first;
    }
  }
  if (!known->second) return known->second.error();
  picture.shared = known->second->bytes;
  picture.source = known->second->digest;
  picture.job.bytes = *picture.shared;
  finding.failure = config::Failure::unreadable;
  if (finding.external) return read_as(work_.externals.at(finding.part).inner, finding.asked, picture);
  return recognise(picture);
}

// What the bytes are, whatever their label says.
Status Acquirer::recognise(Picture& picture) {
  if (picture.job.bytes.empty()) return Error{"empty"};
  picture.job.format = image::sniff(picture.job.bytes);
  if (picture.job.format == image::Format::unknown) {
    const std::string_view other = image::other_kind(picture.job.bytes);
    return Error{"no image that we know" + (other.empty() ? std::string() : ", but " + std::string(other))};
  }
  // Without a size librsvg would draw what has ink, wherever that lies.
  if (picture.job.format == image::Format::svg)
    if (std::optional<std::string> sized = image::with_plain_size(picture.job.bytes)) {
      picture.storage = *std::move(sized);
      picture.job.bytes = picture.storage;
      picture.job.memfd = -1;
    }
  if (Result<image::Header> header = image::read_header(picture.job.bytes))
    picture.header = *header;
  else if (image::shown_everywhere(picture.job.format))
    return header.error();  // it would go out as it is, and nobody could show it
  if (picture.job.format != image::Format::npy) return Done{};
  Result<image::RawLayout> layout = image::read_npy(picture.job.bytes);
  if (!layout) return layout.error();
  picture.job.layout = *layout;
  return Done{};
}

}  // namespace pixmilter::core
