#include "render/run_deflate.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "render/bit_writer.h"
#include "render/huffman.h"

namespace pixmilter::render {
namespace {

// Short enough that positions fit 16 bits, long enough that a code's description weighs little.
constexpr std::size_t kMaxBlock = 0xFFFF;

constexpr unsigned kEndOfBlock = 256;
constexpr unsigned kFirstLength = 257;
constexpr unsigned kSymbols = 286;
constexpr std::size_t kShortestMatch = 3;
constexpr std::size_t kLongestMatch = 258;
// Four literals, or what a match takes, go between two flushes.
constexpr unsigned kLongestCode = BitWriter::kBitsAtOnce / 4;
constexpr unsigned kCodeLengthSymbols = 19;
constexpr unsigned kLongestLengthCode = 7;

// How a match's length is told: a symbol, and some bits of the length itself.
struct Length {
  std::uint16_t symbol;
  std::uint8_t extra_bits;
  std::uint8_t extra;
};
constexpr std::array<Length, kLongestMatch + 1> kLengths = [] {
  std::array<Length, kLongestMatch + 1> table{};
  std::size_t length = kShortestMatch;
  for (unsigned symbol = kFirstLength; length < kLongestMatch; ++symbol) {
    const unsigned group = (symbol - kFirstLength) / 4;
    const unsigned extra_bits = group < 2 ? 0 : group - 1;
    for (unsigned extra = 0; extra < 1u << extra_bits && length < kLongestMatch; ++extra)
      table[length++] = {static_cast<std::uint16_t>(symbol), static_cast<std::uint8_t>(extra_bits),
                         static_cast<std::uint8_t>(extra)};
  }
  table[kLongestMatch] = {285, 0, 0};
  return table;
}();

std::uint64_t eight_bytes(const std::uint8_t* at) {
  std::uint64_t bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

// A place from which length bytes equal the one before them.
struct Run {
  std::uint16_t begin;
  std::uint16_t length;
};

// One block: its runs, how often each symbol comes, and the bits.
class Block {
 public:
  Block(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), size_(size) {
    find_runs();
    count();
    huffman_lengths(counts_, kLongestCode, lengths_);
    describe();
  }

  // What write() takes.
  std::uint64_t bits() const {
    std::uint64_t bits = description_bits_;
    for (unsigned symbol = 0; symbol < kSymbols; ++symbol)
      bits += std::uint64_t{counts_[symbol]} * lengths_[symbol];
    // Each match says its distance in one bit, and some bits of its length.
    for (unsigned symbol = kFirstLength; symbol < kSymbols; ++symbol)
      bits += std::uint64_t{counts_[symbol]} * (1 + (symbol < 265 || symbol == 285 ? 0 : (symbol - 261) / 4));
    return bits;
  }

  void write(BitWriter& out) const {
    write_description(out);
    std::array<std::uint16_t, kSymbols> codes;
    huffman_codes(lengths_, codes);
    std::array<std::uint32_t, kSymbols> entries;  // code << 8 | length
    for (unsigned symbol = 0; symbol < kSymbols; ++symbol)
      entries[symbol] = static_cast<std::uint32_t>(codes[symbol]) << 8 | lengths_[symbol];
    std::size_t at = 0;
    for (std::size_t i = 0; i < runs_; ++i) {
      const Run run = run_[i];
      write_literals(out, entries.data(), bytes_ + at, run.begin - at);
      for (std::size_t left = run.length; left > 0;) {
        const std::size_t length = std::min(left, kLongestMatch);
        const Length& told = kLengths[length];
        put(out, entries[told.symbol]);
        out.put(told.extra, told.extra_bits + 1u);  // and distance 1, whose code is one zero
        out.flush();
        left -= length;
      }
      at = std::size_t{run.begin} + run.length;
    }
    write_literals(out, entries.data(), bytes_ + at, size_ - at);
    put(out, entries[kEndOfBlock]);
    out.flush();
  }

 private:
  static void put(BitWriter& out, std::uint32_t entry) { out.put(entry >> 8, entry & 0xFF); }

  static void write_literals(BitWriter& writer, const std::uint32_t* entries, const std::uint8_t* bytes,
                             std::size_t count) {
    BitWriter out = writer;  // a copy whose address nobody has stays in registers
    const std::uint8_t* end = bytes + count / 4 * 4;
    for (; bytes != end; bytes += 4) {
      const std::uint64_t a = entries[bytes[0]];
      const std::uint64_t b = entries[bytes[1]];
      const std::uint64_t c = entries[bytes[2]];
      const std::uint64_t d = entries[bytes[3]];
      // Pairs first: they do not wait for each other. A sum of entries has the sum of lengths in its lowest
      // six bits, which are all that a shift looks at.
      const std::uint64_t first = a >> 8 | (b >> 8) << (a & 63);
      const std::uint64_t second = c >> 8 | (d >> 8) << (c & 63);
      out.put(first | second << ((a + b) & 63), static_cast<unsigned>((a + b + c + d) & 63));
      out.flush();
    }
    for (std::size_t i = 0; i < count % 4; ++i) put(out, entries[bytes[i]]);
    out.flush();
    writer = out;
  }

  // Runs of eight and more that hold eight bytes at a place that is looked at; shorter ones are literals,
  // which cost a bit or two each where they are frequent.
  void find_runs() {
    for (std::size_t at = 1; at + 8 <= size_;) {
      if (eight_bytes(bytes_ + at) != eight_bytes(bytes_ + at - 1)) {
        at += 8;
        continue;
      }
      std::size_t begin = at;
      while (begin > 1 && bytes_[begin - 1] == bytes_[begin - 2]) --begin;
      std::size_t end = at + 8;
      for (; end + 8 <= size_; end += 8) {
        const std::uint64_t differing = eight_bytes(bytes_ + end) ^ eight_bytes(bytes_ + end - 1);
        if (differing == 0) continue;
        end += static_cast<std::size_t>(std::countr_zero(differing)) / 8;
        break;
      }
      while (end < size_ && bytes_[end] == bytes_[end - 1]) ++end;
      // What is too short for a match of its own stays literal.
      std::size_t length = end - begin;
      if (length % kLongestMatch < kShortestMatch) length -= length % kLongestMatch;
      run_[runs_++] = {static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(length)};
      at = end + 1;
    }
  }

  void count() {
    std::uint32_t counts[4][256] = {};  // four, as the next byte is often the same
    const auto count_literals = [&](std::size_t begin, std::size_t end) {
      const std::uint8_t* at = bytes_ + begin;
      const std::uint8_t* const last = bytes_ + end;
      for (; last - at >= 8; at += 8) {
        const std::uint64_t eight = eight_bytes(at);
        ++counts[0][eight & 0xFF], ++counts[1][eight >> 8 & 0xFF];
        ++counts[2][eight >> 16 & 0xFF], ++counts[3][eight >> 24 & 0xFF];
        ++counts[0][eight >> 32 & 0xFF], ++counts[1][eight >> 40 & 0xFF];
        ++counts[2][eight >> 48 & 0xFF], ++counts[3][eight >> 56];
      }
      for (; at != last; ++at) ++counts[0][*at];
    };
    std::size_t at = 0;
    for (std::size_t i = 0; i < runs_; ++i) {
      const Run run = run_[i];
      count_literals(at, run.begin);
      counts_[kLengths[kLongestMatch].symbol] += static_cast<std::uint32_t>(run.length / kLongestMatch);
      if (const std::size_t rest = run.length % kLongestMatch; rest > 0) ++counts_[kLengths[rest].symbol];
      at = std::size_t{run.begin} + run.length;
    }
    count_literals(at, size_);
    for (unsigned byte = 0; byte < 256; ++byte)
      counts_[byte] += counts[0][byte] + counts[1][byte] + counts[2][byte] + counts[3][byte];
    counts_[kEndOfBlock] = 1;
  }

  // The lengths of the codes themselves become symbols (3.2.7): 0 to 15 as they are, 16 the last one again,
  // 17 and 18 zeros.
  void describe() {
    while (told_symbols_ > kFirstLength && lengths_[told_symbols_ - 1] == 0) --told_symbols_;
    std::array<std::uint8_t, kSymbols + 1> lengths;
    std::copy_n(lengths_.begin(), told_symbols_, lengths.begin());
    lengths[told_symbols_] = 1;  // of the only distance
    const std::size_t count = told_symbols_ + 1;
    std::array<std::uint32_t, kCodeLengthSymbols> counts{};
    const auto tell = [&](unsigned symbol, unsigned extra_bits, std::size_t extra) {
      told_[tellings_++] = {static_cast<std::uint16_t>(symbol), static_cast<std::uint8_t>(extra_bits),
                            static_cast<std::uint8_t>(extra)};
      ++counts[symbol];
      description_bits_ += extra_bits;
    };
    for (std::size_t at = 0; at < count;) {
      const std::uint8_t length = lengths[at];
      std::size_t same = 1;
      while (at + same < count && lengths[at + same] == length) ++same;
      at += same;
      if (length != 0) {
        tell(length, 0, 0);
        --same;
      }
      while (same >= 3) {
        const std::size_t told = std::min<std::size_t>(same, length != 0 ? 6 : 138);
        if (length != 0)
          tell(16, 2, told - 3);
        else if (told <= 10)
          tell(17, 3, told - 3);
        else
          tell(18, 7, told - 11);
        same -= told;
      }
      for (; same > 0; --same) tell(length, 0, 0);
    }
    // At least two symbols occur here, as deflate demands: the distance's length is 1, and 257 codes of that
    // length are too many.
    huffman_lengths(counts, kLongestLengthCode, length_lengths_);
    while (told_length_lengths_ > 4 && length_lengths_[kOrder[told_length_lengths_ - 1]] == 0)
      --told_length_lengths_;
    description_bits_ += 3 + 5 + 5 + 4 + 3 * told_length_lengths_;
    for (unsigned symbol = 0; symbol < kCodeLengthSymbols; ++symbol)
      description_bits_ += std::uint64_t{counts[symbol]} * length_lengths_[symbol];
  }

  void write_description(BitWriter& out) const {
    out.put(0, 1);  // not the last block
    out.put(2, 2);  // codes of its own
    out.put(told_symbols_ - 257, 5);
    out.put(0, 5);  // one distance
    out.put(told_length_lengths_ - 4, 4);
    out.flush();
    for (unsigned i = 0; i < told_length_lengths_; ++i) {
      out.put(length_lengths_[kOrder[i]], 3);
      out.flush();
    }
    std::array<std::uint16_t, kCodeLengthSymbols> codes;
    huffman_codes(length_lengths_, codes);
    for (std::size_t i = 0; i < tellings_; ++i) {
      const Length& told = told_[i];
      out.put(codes[told.symbol], length_lengths_[told.symbol]);
      out.put(told.extra, told.extra_bits);
      out.flush();
    }
  }

  static constexpr std::array<std::uint8_t, kCodeLengthSymbols> kOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                                          11, 4,  12, 3, 13, 2, 14, 1, 15};
  const std::uint8_t* bytes_;
  std::size_t size_;
  std::array<Run, kMaxBlock / 8> run_;  // each takes eight bytes and one that differs
  std::size_t runs_ = 0;
  std::array<std::uint32_t, kSymbols> counts_{};
  std::array<std::uint8_t, kSymbols> lengths_;
  unsigned told_symbols_ = kSymbols;
  std::array<Length, kSymbols + 1> told_;
  std::size_t tellings_ = 0;
  std::array<std::uint8_t, kCodeLengthSymbols> length_lengths_;
  unsigned told_length_lengths_ = kCodeLengthSymbols;
  std::uint64_t description_bits_ = 0;
};

// A stored block, also an empty one: what brings a stream to a whole byte.
std::uint8_t* store(BitWriter& writer, const std::uint8_t* bytes, std::size_t size) {
  writer.put(0, 3);
  std::uint8_t* out = writer.finish();
  const auto length = static_cast<std::uint16_t>(size);
  const auto complement = static_cast<std::uint16_t>(~length);
  std::memcpy(out, &length, 2);
  std::memcpy(out + 2, &complement, 2);
  if (size > 0) std::memcpy(out + 4, bytes, size);
  return out + 4 + size;
}

constexpr std::size_t kStoredHeader = 5;

}  // namespace

std::size_t deflate_runs_bound(std::size_t size) {
  return size + (size / kMaxBlock + 2) * kStoredHeader + BitWriter::kSlack;
}

std::size_t deflate_runs(const std::uint8_t* bytes, std::size_t size, std::uint8_t* out) {
  const std::size_t blocks = (size + kMaxBlock - 1) / kMaxBlock;
  BitWriter writer(out);
  std::size_t at = 0;
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t end = size / blocks * (i + 1) + std::min(size % blocks, i + 1);
    const Block block(bytes + at, end - at);
    if (block.bits() / 8 < end - at) {
      block.write(writer);
    } else {
      writer = BitWriter(store(writer, bytes + at, end - at));
    }
    at = end;
  }
  if (!writer.at_byte()) writer = BitWriter(store(writer, nullptr, 0));
  return static_cast<std::size_t>(writer.finish() - out);
}

}  // namespace pixmilter::render
