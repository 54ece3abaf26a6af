// How fast a message's own layers are read and written: base64, quoted-printable, the MIME structure, the
// digest that names a picture, the header of a .npy file. Bytes a second are those that go in.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "base/hash.h"
#include "base/quoted_printable.h"
#include "image/npy.h"
#include "mail/message.h"
#include "mail/mime_tree.h"

namespace pixmilter {
namespace {

constexpr std::size_t kLarge = 8 << 20;

std::string noise(std::size_t size) {
  std::mt19937 random(1);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string lines_of(std::string_view bytes) {
  std::string lines;
  base64::encode_lines(bytes, "\r\n", lines);
  return lines;
}

// HTML as it is mailed, so that "=" must be escaped and lines are broken.
std::string markup(std::size_t size) {
  std::string html = "<html><body>\r\n";
  while (html.size() < size)
    html +=
        "<tr><td style=\"font-family: Arial, sans-serif; font-size: 14px; color: #333333;\">The figures of "
        "the quarter are better than expected: <a "
        "href=\"https://example.org/news?id=17\">more</a></td></tr>\r\n";
  return html + "</body></html>\r\n";
}

void count(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(size));
}

void Base64Encode(benchmark::State& state) {
  const std::string bytes = noise(kLarge);
  std::string lines;
  for (auto _ : state) {
    lines.clear();
    base64::encode_lines(bytes, "\r\n", lines);
    benchmark::DoNotOptimize(lines.data());
  }
  count(state, bytes.size());
}
BENCHMARK(Base64Encode);

void Base64DecodePart(benchmark::State& state) {
  const std::string lines = lines_of(noise(kLarge));
  for (auto _ : state) benchmark::DoNotOptimize(base64::decode_lenient(lines));
  count(state, lines.size());
}
BENCHMARK(Base64DecodePart);

void Base64DecodeUri(benchmark::State& state) {
  std::string text;
  base64::encode(noise(kLarge), text);
  for (auto _ : state) benchmark::DoNotOptimize(base64::decode_forgiving(text));
  count(state, text.size());
}
BENCHMARK(Base64DecodeUri);

void Base64Compare(benchmark::State& state) {
  const std::string bytes = noise(kLarge);
  const std::string lines = lines_of(bytes);
  for (auto _ : state) benchmark::DoNotOptimize(base64::decodes_to(lines, bytes));
  count(state, lines.size());
}
BENCHMARK(Base64Compare);

void QuotedPrintableDecode(benchmark::State& state) {
  std::string text;
  quoted_printable::encode_text(markup(kLarge / 8), "\r\n", text);
  for (auto _ : state) benchmark::DoNotOptimize(quoted_printable::Mapped(text).decoded().size());
  count(state, text.size());
}
BENCHMARK(QuotedPrintableDecode);

void QuotedPrintableEncode(benchmark::State& state) {
  const std::string html = markup(kLarge / 8);
  for (auto _ : state) {
    std::string text;
    quoted_printable::encode_text(html, "\r\n", text);
    benchmark::DoNotOptimize(text.data());
  }
  count(state, html.size());
}
BENCHMARK(QuotedPrintableEncode);

void Sha256(benchmark::State& state) {
  const std::string bytes = noise(kLarge);
  for (auto _ : state) benchmark::DoNotOptimize(sha256(bytes));
  count(state, bytes.size());
}
BENCHMARK(Sha256);

// HTML and so many pictures of 50 kB in multipart/related.
std::string related(std::int64_t pictures) {
  std::string text =
      "From: a@example.org\r\nTo: b@example.org\r\nSubject: figures\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/related; type=\"text/html\"; boundary=\"=_b\"\r\n\r\n--=_b\r\n"
      "Content-Type: text/html; charset=utf-8\r\n\r\n" +
      markup(20 << 10);
  for (std::int64_t i = 0; i < pictures; ++i)
    text +=
        "\r\n--=_b\r\nContent-Type: image/png; name=\"p.png\"\r\nContent-Transfer-Encoding: base64\r\n"
        "Content-Disposition: inline; filename=\"p.png\"\r\nContent-ID: <" +
        std::to_string(i) + "@example.org>\r\n\r\n" + lines_of(noise(50'000));
  return text + "\r\n--=_b--\r\n";
}

// strict: as verify reads a new message; else as a message is read that came in, with GMime.
void mime_tree(benchmark::State& state, bool strict) {
  mail::initialise_mime();
  const std::string text = related(state.range(0));
  const mail::Message message(text);
  for (auto _ : state) {
    const Result<mail::MimeTree> tree =
        strict ? mail::MimeTree::parse_plain(message) : mail::MimeTree::parse(message);
    if (!tree) state.SkipWithError(tree.error().text.c_str());
    benchmark::DoNotOptimize(tree);
  }
  count(state, text.size());
}
BENCHMARK_CAPTURE(mime_tree, Parse, false)->Arg(1)->Arg(20);
BENCHMARK_CAPTURE(mime_tree, Strict, true)->Arg(1)->Arg(20);

void NpyHeader(benchmark::State& state) {
  const std::string dictionary = "{'descr': '|u1', 'fortran_order': False, 'shape': (480, 640, 3), }";
  std::string file = "\x93NUMPY\x01";
  file += '\0';
  file += '\x76';
  file += '\0';
  file += dictionary + std::string(0x75 - dictionary.size(), ' ') + "\n";
  file += noise(std::size_t{480} * 640 * 3);
  for (auto _ : state) {
    const Result<image::RawLayout> layout = image::read_npy(file);
    if (!layout) state.SkipWithError(layout.error().text.c_str());
    benchmark::DoNotOptimize(layout);
  }
}
BENCHMARK(NpyHeader);

}  // namespace
}  // namespace pixmilter
