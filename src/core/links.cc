#include "core/links.h"

#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "base/byte_search.h"
#include "html/charset.h"

namespace pixmilter::core {
namespace {

void judge(Finding& finding, std::string_view url, const source::Fetcher& fetcher) {
  Result<std::string> allowed = fetcher.allowed(url);
  if (!allowed) {
    finding.silent = true;
    finding.reason = "a link that is not fetched: " + allowed.error().text;
    return;
  }
  finding.url = *std::move(allowed);
  finding.silent = false;
  finding.reason.clear();
}

}  // namespace

std::string_view url_of(const Work& work, const Finding& finding, std::string& scratch) {
  if (finding.external) return work.externals.at(finding.part).url;
  html::Reference reference = *work.reference(finding);
  const html::Charset& charset = work.texts[finding.html].charset;
  if (charset.kind == html::CharsetKind::utf8 || charset.encoding.empty() || is_ascii(reference.raw))
    return html::url(reference, scratch);
  const Result<std::string> utf8 = html::to_utf8(reference.raw, charset, html::OnInvalid::replace);
  if (!utf8) return html::url(reference, scratch);
  reference.raw = *utf8;
  std::string decoded;
  scratch = std::string(html::url(reference, decoded));
  return scratch;
}

void judge_links(Work& work, const Services& services) {
  if (!work.plan.policy.sources.http) {
    if (services.fetcher == nullptr) return;
    for (Finding& finding : work.findings)
      if (finding.source == Source::http && !finding.external)
        finding.reason = "a link that is not fetched: source \"http\" is not allowed";
    return;
  }
  std::string scratch;
  for (Finding& finding : work.findings) {
    // What stands for an attachment may say itself that it is out of date.
    if (finding.source != Source::http || (finding.external && !finding.reason.empty())) continue;
    if (services.fetcher == nullptr) {
      if (!finding.external) continue;
      finding.silent = true;
      finding.reason = "a link that is not fetched: [fetch] allow lists nothing";
      continue;
    }
    const std::string_view url = url_of(work, finding, scratch);
    if (ascii::istarts_with(url, "http:") || ascii::istarts_with(url, "https:"))
      judge(finding, url, *services.fetcher);
  }
}

void fetch_links(Work& work, const Services& services, Deadline deadline) {
  if (services.fetcher == nullptr) return;
  const std::uint32_t max_images = work.plan.policy.max_images;
  std::vector<source::FetchRequest> requests;
  for (const Finding& finding : work.findings) {
    if (finding.url.empty()) continue;
    const auto [place, fresh] = work.fetched.try_emplace(finding.url);
    if (!fresh) continue;
    if (requests.size() < max_images) {
      requests.push_back({finding.url, {}, {}});
    } else {
      place->second.status = source::FetchStatus::limit;
      place->second.reason = "more than max_images = " + std::to_string(max_images);
    }
  }
  if (requests.empty()) return;
  // Slow servers leave time to render the pictures that are there.
  const Deadline last = earlier(deadline, Deadline::after(deadline.left() * 2 / 3));
  std::vector<source::FetchResponse> responses = services.fetcher->fetch(requests, last);
  for (std::size_t i = 0; i < requests.size() && i < responses.size(); ++i)
    work.fetched[requests[i].url] = std::move(responses[i]);
}

}  // namespace pixmilter::core
