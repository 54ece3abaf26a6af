// The tokenizer against the tokenizer tests of html5lib, which browsers use as well. They are
// not among the sources: PIXMILTER_HTML5LIB names the folder, else ../shared/data is looked at.
//
// What is compared: every token of every test in each of its initial states. What is not: parse errors
// (the tokenizer reports none), and the tests of xmlViolation, which ask for a coercion to XML.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/ascii.h"
#include "html/doctype.h"
#include "html/entities.h"
#include "html/tokenizer.h"

namespace pixmilter::html {
namespace {

using nlohmann::json;

// Entries times initial states, all of which pass.
constexpr std::size_t kKnownTests = 7032;

std::filesystem::path folder() {
  if (const char* given = std::getenv("PIXMILTER_HTML5LIB")) return given;
  const std::filesystem::path here = std::filesystem::absolute(__FILE__).lexically_normal();
  for (const auto& root :
       {std::filesystem::current_path(), here.parent_path().parent_path().parent_path().parent_path()})
    if (auto path = root / "../shared/data/html5lib-tests/tokenizer"; std::filesystem::exists(path))
      return path;
  return {};
}

// The second round of unescaping. A lone surrogate becomes the three bytes UTF-8 would give it: to the
// tokenizer they are bytes like others.
std::string unescape(const std::string& in) {
  std::string out;
  char32_t high = 0;
  const auto flush = [&] {
    if (high != 0) append_utf8(high, out);
    high = 0;
  };
  for (std::size_t i = 0; i < in.size();) {
    if (in.compare(i, 2, "\\u") != 0) {
      flush();
      out.push_back(in[i++]);
      continue;
    }
    const auto code = static_cast<char32_t>(std::stoul(in.substr(i + 2, 4), nullptr, 16));
    i += 6;
    if (high != 0 && code >= 0xDC00 && code < 0xE000) {
      append_utf8(0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00), out);
      high = 0;
    } else if (code >= 0xD800 && code < 0xDC00) {
      flush();
      high = code;
    } else {
      flush();
      append_utf8(code, out);
    }
  }
  flush();
  return out;
}

void unescape_all(json& value) {
  if (value.is_string()) {
    value = unescape(value.get<std::string>());
  } else if (value.is_array()) {
    for (json& item : value) unescape_all(item);
  } else if (value.is_object()) {
    json fresh = json::object();
    for (auto& [key, item] : value.items()) {
      unescape_all(item);
      fresh[unescape(key)] = item;
    }
    value = fresh;
  }
}

// The standard's preprocessing of the input stream, done to what the tokenizer hands out instead.
std::string newlines(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out.push_back(text[i]);
    } else {
      out.push_back('\n');
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    }
  }
  return out;
}

std::string without_nul(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == 0)
      out += "\xEF\xBF\xBD";
    else
      out.push_back(c);
  }
  return out;
}

std::string name_of(std::string_view text) { return ascii::to_lower(without_nul(newlines(text))); }

std::string decode(std::string_view text, ReferenceContext context) {
  std::string out;
  decode_references(text, context, out);
  return out;
}

json optional_text(const std::optional<std::string_view>& text) {
  return text ? json(without_nul(newlines(*text))) : json(nullptr);
}

void add_characters(json& tokens, const std::string& text) {
  if (text.empty()) return;
  if (!tokens.empty() && tokens.back()[0] == "Character")
    tokens.back()[1] = tokens.back()[1].get<std::string>() + text;
  else
    tokens.push_back({"Character", text});
}

std::string characters(const Token& token) {
  const std::string text = newlines(token.kind == TokenKind::cdata ? token.data : token.raw);
  switch (token.content_mode) {
    case ContentMode::data:
      return token.kind == TokenKind::cdata ? text : decode(text, ReferenceContext::text);
    case ContentMode::rcdata:
      return decode(without_nul(text), ReferenceContext::text);
    case ContentMode::cdata:
      return text;
    default:
      return without_nul(text);
  }
}

json tag_token(const Token& token) {
  if (token.kind == TokenKind::end_tag) return {"EndTag", name_of(token.name)};
  json attributes = json::object();
  for (const Attribute& attribute : token.attributes) {
    const std::string name = name_of(attribute.name);
    if (!attributes.contains(name))
      attributes[name] = decode(without_nul(newlines(attribute.value)), ReferenceContext::attribute);
  }
  json out = {"StartTag", name_of(token.name), attributes};
  if (token.self_closing) out.push_back(true);
  return out;
}

json tokenize(const std::string& input, const TokenizerOptions& options, bool& tiles) {
  json tokens = json::array();
  Tokenizer tokenizer(input, options);
  Token token;
  std::size_t end = 0;
  while (tokenizer.next(token)) {
    tiles = tiles && token.raw.data() == input.data() + end && !token.raw.empty();
    end += token.raw.size();
    switch (token.kind) {
      case TokenKind::text:
      case TokenKind::cdata:
        add_characters(tokens, characters(token));
        break;
      case TokenKind::start_tag:
      case TokenKind::end_tag:
        tokens.push_back(tag_token(token));
        break;
      case TokenKind::comment:
        tokens.push_back({"Comment", without_nul(newlines(token.data))});
        break;
      case TokenKind::doctype: {
        const Doctype doctype = read_doctype(token.raw);
        json name = doctype.name ? json(name_of(*doctype.name)) : json(nullptr);
        tokens.push_back({"DOCTYPE", name, optional_text(doctype.public_id), optional_text(doctype.system_id),
                          !doctype.force_quirks});
        break;
      }
      case TokenKind::condition:
      case TokenKind::nothing:
        break;
    }
  }
  tiles = tiles && end == input.size();
  return tokens;
}

TEST(Html5lib, TokenizerTests) {
  const std::filesystem::path path = folder();
  if (path.empty() || !std::filesystem::exists(path)) GTEST_SKIP() << "no html5lib tokenizer tests at hand";
  const std::map<std::string, ContentMode> modes = {
      {"Data state", ContentMode::data},           {"RCDATA state", ContentMode::rcdata},
      {"RAWTEXT state", ContentMode::rawtext},     {"Script data state", ContentMode::script_data},
      {"PLAINTEXT state", ContentMode::plaintext}, {"CDATA section state", ContentMode::cdata}};
  std::size_t passed = 0, failed = 0;
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    if (entry.path().extension() == ".test") files.insert(entry.path());
  for (const auto& file : files) {
    const json whole = json::parse(std::ifstream(file));
    if (!whole.contains("tests")) continue;
    for (json test : whole["tests"]) {
      const auto states = test.value("initialStates", std::vector<std::string>{"Data state"});
      if (test.value("doubleEscaped", false)) {
        unescape_all(test["input"]);
        unescape_all(test["output"]);
      }
      const auto input = test["input"].get<std::string>();
      const auto last = test.value("lastStartTag", std::string());
      json expected = json::array();
      for (const json& token : test["output"]) {
        if (token[0] == "Character")
          add_characters(expected, token[1].get<std::string>());
        else
          expected.push_back(token);
      }
      for (const std::string& state : states) {
        bool tiles = true;
        const json got = tokenize(input, {modes.at(state), last, false, false, false}, tiles);
        if (got == expected && tiles) {
          ++passed;
          continue;
        }
        if (++failed <= 20)
          ADD_FAILURE() << file.filename() << ": " << test["description"] << " (" << state << ")\n  input "
                        << json(input).dump(-1, ' ', true, json::error_handler_t::replace) << "\n  expected "
                        << expected.dump(-1, ' ', true, json::error_handler_t::replace) << "\n  got "
                        << got.dump(-1, ' ', true, json::error_handler_t::replace)
                        << (tiles ? "" : "\n  tokens do not tile");
      }
    }
  }
  std::printf("html5lib tokenizer tests: %zu passed, %zu failed\n", passed, failed);
  EXPECT_EQ(failed, 0U);
  EXPECT_GE(passed, kKnownTests);
}

}  // namespace
}  // namespace pixmilter::html
