#include "core/acquire.h"

#include <utility>

#include "image/header.h"
#include "image/npy.h"
#include "image/raw_params.h"
#include "source/data_uri.h"

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
      finding.failure = config::Failure::missing;
      return Error{"source \"" + std::string(name(finding.source)) + "\" is not served"};
    case Source::http:
      return from_url(finding, picture);
  }
  return Error{"unknown source"};
}

Status Acquirer::from_data_uri(const Finding& finding, Picture& picture) {
  std::string scratch;
  Result<source::DataUri> data = source::read_data_uri(html::url(*work_.reference(finding), scratch));
  if (!data) return data.error();
  return own(std::move(data->bytes), picture);
}

Status Acquirer::from_inline_svg(const Finding& finding, Picture& picture) {
  HtmlText& text = work_.texts[finding.html];
  std::unique_ptr<html::InlineSvgs>& svgs = svgs_[finding.html];
  if (!svgs) svgs = std::make_unique<html::InlineSvgs>(text.text, text.charset);
  Result<html::InlineSvg> svg = svgs->read(*work_.reference(finding));
  if (!svg) return svg.error();
  picture.storage = std::exchange(svg->document, {});
  picture.job.bytes = picture.storage;
  picture.job.format = image::Format::svg;
  picture.job.settings.svg_scale = config::ImagePlan{}.density;
  text.svgs[finding.reference] = std::move(*svg);
  return Done{};
}

Status Acquirer::from_part(const Finding& finding, Picture& picture) {
  const mail::Part& part = work_.tree[finding.part];
  if (part.encoding == mail::Encoding::unknown) return Error{"unknown Content-Transfer-Encoding"};
  if (part.encoding == mail::Encoding::base64 || part.encoding == mail::Encoding::quoted_printable) {
    picture.storage = mail::decoded_body(work_.message, part);
    picture.job.bytes = picture.storage;
  } else {
    picture.job.bytes = std::string_view(work_.message.bytes()).substr(part.body.begin, part.body.size());
  }
  if (picture.job.bytes.empty()) return Error{"empty"};
  if (part.type == "image/x-raw-pixels") {
    Result<image::RawLayout> layout = image::read_raw_layout(part.parameters, picture.job.bytes);
    if (!layout) return layout.error();
    picture.job.format = image::Format::raw;
    picture.job.layout = *layout;
  } else {
    if (part.type == "application/x-npy" && image::sniff(picture.job.bytes) != image::Format::npy)
      return Error{"no .npy file"};
    if (Status recognised = recognise(picture); !recognised) return recognised;
  }
  if (finding.asked) return image::read_raw_settings(part.parameters, picture.job.settings);
  return Done{};
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
  Status recognised = own(response.bytes, picture);
  if (recognised || response.content_type.empty()) return recognised;
  return Error{recognised.error().text + "; the server calls it " + response.content_type};
}

Status Acquirer::own(std::string bytes, Picture& picture) {
  picture.storage = std::move(bytes);
  picture.job.bytes = picture.storage;
  return recognise(picture);
}

// What the bytes are, whatever their label says.
Status Acquirer::recognise(Picture& picture) {
  if (picture.job.bytes.empty()) return Error{"empty"};
  picture.job.format = image::sniff(picture.job.bytes);
  if (picture.job.format == image::Format::unknown) return Error{"no image that we know"};
  // Without a size librsvg would draw what has ink, wherever that lies.
  if (picture.job.format == image::Format::svg)
    if (std::optional<std::string> sized = image::with_default_size(picture.job.bytes)) {
      picture.storage = *std::move(sized);
      picture.job.bytes = picture.storage;
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
