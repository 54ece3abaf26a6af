// CssLexer: the tokens of CSS Syntax Level 3 (section 4.3), as views into the text.
//
// Numbers, dimensions, percentages and hashes are one kind, because nobody here computes with them; a
// quoted url() is one token like a bare one. Time is linear in the text, for any text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "html/reference.h"

namespace pixmilter::html::css {

enum class Kind : std::uint8_t {
  space,       // white space or a comment
  ident,       //
  function,    // a name with its "("
  at_keyword,  //
  string,      // with its quotes; the closing one is missing where the text ends first
  bad_string,  // ended by a line end
  url,         // url(...) in either form
  bad_url,     //
  other_name,  // number, dimension, hash
  mark,        // any other single character: : ; , { } ( ) [ ] and the rest
};

struct CssToken {
  Kind kind = Kind::mark;
  Range range;
  Range content;  // of a string or url: what is within the quotes or parentheses, without white space
  char mark = 0;
};

class CssLexer {
 public:
  explicit CssLexer(std::string_view text) : text_(text) {}
  bool next(CssToken& token);
  // Bytes looked at so far, counting each time.
  std::size_t work() const { return work_; }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool starts_ident() const;
  bool starts_number() const;
  void skip_name();
  void skip_space();
  void skip_escape();
  void read_number();
  void read_word(CssToken& token);
  bool read_string(Range& content);
  bool find_string_end(Range& content);
  bool read_quoted_url(CssToken& token);
  void read_bare_url(CssToken& token);
  std::size_t find(std::string_view what, std::size_t from);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t work_ = 0;
  struct LastString {
    std::size_t begin = static_cast<std::size_t>(-1);  // of its quote
    std::size_t end = 0;                               // where reading goes on
    Range content;
    bool whole = false;
  };
  LastString last_string_;
  std::array<bool, 2> none_left_{};  // of the quotes " and ': there is no other one from here on
};

}  // namespace pixmilter::html::css
