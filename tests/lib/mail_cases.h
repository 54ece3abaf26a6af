// The messages of tests/mail as material for tests that change them at random.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::tests {

// The file of that name ("in.eml") of each case, in an order that is the same on each machine; none where
// tests/mail is not beneath the working directory.
inline std::vector<std::string> mail_cases(const char* name) {
  std::vector<std::string> texts;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("tests/mail", none)) {
    std::ifstream file(entry.path() / name, std::ios::binary);
    if (file) texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

// Puts pieces in the place of a few bytes each, mostly where it may matter: at one of the first six pieces,
// or, where behind is true, mostly behind it.
inline void change_at_random(std::string& text, std::span<const std::string_view> pieces, std::size_t changes,
                             bool behind, std::mt19937& random) {
  constexpr std::size_t kAnchors = 6;
  for (; changes > 0; --changes) {
    const std::string_view piece = pieces[random() % pieces.size()];
    const std::string_view near = pieces[random() % kAnchors];
    std::size_t at = text.find(near, random() % (text.size() + 1));
    if (at == std::string::npos)
      at = random() % (text.size() + 1);
    else if (behind && random() % 3 != 0)
      at += near.size();
    text.replace(at, std::min<std::size_t>(random() % 12, text.size() - at), piece);
  }
}

}  // namespace pixmilter::tests
