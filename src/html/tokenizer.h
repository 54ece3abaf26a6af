// Tokenizer: cuts an HTML text into tokens after the tokenization stage of the HTML standard (section
// 13.2.5), every token and attribute a view into the text.
//
// Tokens tile the text: each begins where the one before it ended, nothing is left out and nothing is
// rewritten. Character references stay as they are written until somebody decodes them (entities.h).
// The tokenizer chooses by itself, as a browser's tree construction would tell it to, which elements hold
// text instead of markup; scripting is off, as in every mail reader, so <noscript> holds markup.
// Time is linear in the text, for any text. Nothing is allocated for a token; the attribute list and the
// stack of open SVG elements keep their memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "html/foreign.h"
#include "html/tags.h"

namespace pixmilter::html {

enum class TokenKind : std::uint8_t {
  text,       // character data; content_mode says whether references are resolved in it
  start_tag,  //
  end_tag,    //
  comment,    // comments in every shape, also <?...>, <!x>, </3>
  doctype,    // see doctype.h
  cdata,      // <![CDATA[...]]> in foreign content: character data without references
  condition,  // the opening <!--[if ...]> of a conditional comment (TokenizerOptions::open_conditions)
  nothing,    // bytes that yield no token: "</>", a tag that the text ends in
};

// What the text at hand can hold.
enum class ContentMode : std::uint8_t {
  data,         // markup and references
  rcdata,       // references: title, textarea
  rawtext,      // neither: style, xmp, iframe, noembed, noframes
  script_data,  // neither, with the escapes of scripts
  plaintext,    // neither, and it never ends
  cdata,        // a CDATA section that is open already (only as an initial mode)
};

struct Attribute {
  std::string_view name;   // as written, never empty
  std::string_view value;  // as written, without its quotes
  char quote = 0;          // ", ' or 0
  bool has_value = false;  // an equals sign was there

  // The end of the attribute's bytes, closing quote included.
  const char* end() const {
    return has_value ? value.data() + value.size() + (quote != 0 ? 1 : 0) : name.data() + name.size();
  }
};

// Valid until the next call of next(); the views into the text live as long as the text.
struct Token {
  TokenKind kind = TokenKind::text;
  Tag tag = Tag::other;
  ContentMode content_mode = ContentMode::data;  // of a text token
  bool self_closing = false;
  bool foreign = false;                   // a tag that is read as SVG or MathML, the <svg> itself included
  std::string_view raw;                   // all bytes of the token
  std::string_view name;                  // of a tag
  std::string_view data;                  // a comment's or CDATA section's text
  std::span<const Attribute> attributes;  // of a tag, duplicates too: the first of a name counts

  // The first attribute of this name (lower case), or nullptr.
  const Attribute* find(std::string_view lower_name) const;
};

struct TokenizerOptions {
  ContentMode mode = ContentMode::data;
  std::string_view last_start_tag;  // whose end tag ends the initial mode
  // Off: start tags change no mode and there is no foreign content (the tokenizer tests of html5lib).
  bool tree_feedback = true;
  // The text stands within an <svg>.
  bool in_svg = false;
  // <!--[if ...]> is a token of its own and what follows it is markup.
  bool open_conditions = false;
};

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view html, const TokenizerOptions& options = {});

  // Reads one token; false when all is read.
  bool next(Token& token);

  // How deep in SVG or MathML the tokenizer stands after the token it read last (0: HTML).
  std::size_t foreign_depth() const { return foreign_.depth(); }
  // Bytes looked at so far, counting each time a byte is looked at again: what tests of linear time count.
  std::size_t work() const { return work_; }

 private:
  void read_data(Token& token);
  void read_raw(Token& token);
  void read_declaration(Token& token);
  void read_tag(Token& token, bool is_end);
  void read_comment(Token& token);
  void read_bogus_comment(Token& token, std::size_t data_begin);
  void read_cdata(Token& token, std::size_t data_begin);
  bool read_condition(Token& token);
  std::size_t find_raw_end(std::size_t from);
  std::size_t find_script_end(std::size_t from);
  bool is_tag_name_at(std::size_t at, std::string_view lower_name) const;
  void enter_element(Token& token);
  void finish(Token& token, TokenKind kind, std::size_t end);
  std::size_t find(char c, std::size_t from);

  std::string_view html_;
  TokenizerOptions options_;
  std::size_t at_ = 0;
  std::size_t work_ = 0;
  ContentMode mode_;
  std::string_view raw_end_name_;  // the element whose end tag ends rcdata, rawtext or script_data
  std::vector<Attribute> attributes_;
  ForeignContent foreign_;
};

// The position of c at or after from, or the text's size.
std::size_t find_byte(std::string_view text, char c, std::size_t from);

}  // namespace pixmilter::html
