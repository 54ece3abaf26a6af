// How fast HTML is read. What was set as a goal: 1 GB/s for 8 MB with one huge data: URI, 500 MB/s for a
// newsletter of 80 KB without images, the tokenizer alone.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "html/reference.h"
#include "html/tokenizer.h"
#include "source/data_uri.h"

namespace pixmilter {
namespace {

constexpr std::size_t kHuge = 8 << 20;
constexpr std::size_t kNewsletter = 80 << 10;

std::string huge_data_uri(std::string_view open, std::string_view close) {
  std::string html = "<html><body><p>One picture:</p>" + std::string(open) + "data:image/png;base64,";
  while (html.size() < kHuge) html += "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ";
  return html += std::string(close) + "</body></html>";
}

// Rows as template engines of newsletters write them: tables, styles on each cell, short texts.
std::string newsletter() {
  std::string html =
      "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>News of the week</title><style "
      "type=\"text/css\">\n"
      "body{margin:0;padding:0;-webkit-text-size-adjust:100%}table{border-collapse:collapse}\n"
      "@media only screen and (max-width:480px){.column{width:100%!important;max-width:100%}}\n"
      "</style></head><body style=\"word-spacing:normal;background-color:#f4f4f4;\">\n";
  while (html.size() < kNewsletter)
    html +=
        "<!--[if mso | IE]><table align=\"center\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" "
        "style=\"width:600px;\" "
        "width=\"600\"><tr><td style=\"line-height:0px;font-size:0px;\"><![endif]-->\n"
        "<div style=\"margin:0px auto;max-width:600px;\">\n<table align=\"center\" border=\"0\" "
        "cellpadding=\"0\" "
        "cellspacing=\"0\" role=\"presentation\" style=\"width:100%;\">\n<tbody>\n<tr>\n<td "
        "style=\"direction:ltr;"
        "font-size:0px;padding:20px 0;text-align:center;\">\n<div class=\"column outlook-group-fix\" "
        "style=\"font-size:0px;"
        "text-align:left;direction:ltr;display:inline-block;vertical-align:top;width:100%;\">\n<p "
        "style=\"margin:10px 0;"
        "font-family:Arial,sans-serif;font-size:14px;line-height:22px;color:#333333;\">The quarterly figures "
        "are out &amp; "
        "they are better than expected: <a "
        "href=\"https://www.example.com/news/2024/quarterly-figures?utm_source=mail\" "
        "style=\"color:#0a66c2;text-decoration:none;\">read on</a>. As always we are glad of your questions "
        "and remarks, and "
        "so is the editorial office; answers appear in the next "
        "issue.</p>\n</div>\n</td>\n</tr>\n</tbody>\n</table>\n</div>\n"
        "<!--[if mso | IE]></td></tr></table><![endif]-->\n";
  return html += "</body></html>\n";
}

void tokenize(benchmark::State& state, const std::string& html) {
  for (auto _ : state) {
    html::Tokenizer tokenizer(html);
    html::Token token;
    std::size_t tokens = 0;
    while (tokenizer.next(token)) ++tokens;
    benchmark::DoNotOptimize(tokens);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * html.size()));
}

void scan(benchmark::State& state, const std::string& html) {
  for (auto _ : state) benchmark::DoNotOptimize(html::scan(html));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * html.size()));
}

void read_payload(benchmark::State& state, bool decode) {
  std::string url = "data:image/png;base64,";
  while (url.size() < kHuge) url += "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ";
  for (auto _ : state) {
    if (decode)
      benchmark::DoNotOptimize(source::read_data_uri(url));
    else
      benchmark::DoNotOptimize(source::clean_base64_payload(url));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * url.size()));
}

BENCHMARK_CAPTURE(tokenize, HugeDataUriQuoted, huge_data_uri("<img src=\"", "\">"));
BENCHMARK_CAPTURE(tokenize, HugeDataUriUnquoted, huge_data_uri("<img src=", ">"));
BENCHMARK_CAPTURE(tokenize, HugeDataUriInStyle, huge_data_uri("<style>p{background:url(", ")}</style>"));
BENCHMARK_CAPTURE(tokenize, Newsletter, newsletter());
BENCHMARK_CAPTURE(scan, HugeDataUriQuoted, huge_data_uri("<img src=\"", "\">"));
BENCHMARK_CAPTURE(scan, HugeDataUriInCss, huge_data_uri("<style>p{background:url(", ")}</style>"));
BENCHMARK_CAPTURE(scan, HugeDataUriInCssString, huge_data_uri("<p style=\"background:url('", "')\">"));
BENCHMARK_CAPTURE(scan, HugeDataUriInSrcset, huge_data_uri("<img srcset=\"", " 2x\">"));
BENCHMARK_CAPTURE(scan, Newsletter, newsletter());
BENCHMARK_CAPTURE(read_payload, Decode, true);
BENCHMARK_CAPTURE(read_payload, CleanPayload, false);

}  // namespace
}  // namespace pixmilter
