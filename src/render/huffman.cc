#include "render/huffman.h"

#include <algorithm>
#include <array>

namespace pixmilter::render {
namespace {

constexpr unsigned kMaxLength = 15;
constexpr unsigned kSymbolBits = 9;

using Sorted = std::array<std::uint32_t, kMaxSymbols>;  // count << kSymbolBits | symbol

// How many leaves the tree has at each depth, those deeper than limit counted at limit. The two lightest
// nodes are joined until one is left; leaves come sorted, joined ones arise sorted, so two queues do.
std::array<std::uint32_t, kMaxLength + 1> count_depths(const Sorted& sorted, std::size_t leaves,
                                                       unsigned limit) {
  std::array<std::uint32_t, 2 * kMaxSymbols> weight;
  std::array<std::uint16_t, 2 * kMaxSymbols> parent;
  for (std::size_t i = 0; i < leaves; ++i) weight[i] = sorted[i] >> kSymbolBits;
  std::size_t leaf = 0;
  std::size_t joined = leaves;
  const std::size_t root = 2 * leaves - 2;
  for (std::size_t node = leaves; node <= root; ++node) {
    weight[node] = 0;
    for (int child = 0; child < 2; ++child) {
      const bool take_leaf = leaf < leaves && (joined == node || weight[leaf] <= weight[joined]);
      const std::size_t taken = take_leaf ? leaf++ : joined++;
      weight[node] += weight[taken];
      parent[taken] = static_cast<std::uint16_t>(node);
    }
  }
  std::array<std::uint32_t, kMaxLength + 1> depths{};
  std::array<std::uint16_t, 2 * kMaxSymbols> depth;
  depth[root] = 0;
  for (std::size_t node = root; node-- > 0;) {
    depth[node] = static_cast<std::uint16_t>(depth[parent[node]] + 1);
    if (node < leaves) ++depths[std::min<unsigned>(depth[node], limit)];
  }
  return depths;
}

// Leaves that were moved up to limit take more room than there is: others go one down for it.
void make_room(std::array<std::uint32_t, kMaxLength + 1>& depths, unsigned limit) {
  std::uint32_t taken = 0;
  for (unsigned length = 1; length <= limit; ++length) taken += depths[length] << (limit - length);
  for (; taken > 1u << limit; --taken) {
    --depths[limit];
    unsigned length = limit - 1;
    while (depths[length] == 0) --length;
    --depths[length];
    depths[length + 1] += 2;
  }
}

}  // namespace

void huffman_lengths(std::span<const std::uint32_t> counts, unsigned limit, std::span<std::uint8_t> lengths) {
  Sorted sorted;
  std::size_t leaves = 0;
  for (std::size_t symbol = 0; symbol < counts.size(); ++symbol) {
    lengths[symbol] = 0;
    if (counts[symbol] > 0)
      sorted[leaves++] = counts[symbol] << kSymbolBits | static_cast<std::uint32_t>(symbol);
  }
  if (leaves < 2) {
    if (leaves == 1) lengths[sorted[0] & ((1u << kSymbolBits) - 1)] = 1;
    return;
  }
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(leaves));
  auto depths = count_depths(sorted, leaves, limit);
  make_room(depths, limit);
  std::size_t rarest = 0;
  for (unsigned length = limit; length > 0; --length)
    for (std::uint32_t i = 0; i < depths[length]; ++i)
      lengths[sorted[rarest++] & ((1u << kSymbolBits) - 1)] = static_cast<std::uint8_t>(length);
}

void huffman_codes(std::span<const std::uint8_t> lengths, std::span<std::uint16_t> codes) {
  std::array<std::uint32_t, kMaxLength + 1> used{};
  for (const std::uint8_t length : lengths) ++used[length];
  used[0] = 0;
  std::array<std::uint32_t, kMaxLength + 1> next{};
  for (unsigned length = 1; length <= kMaxLength; ++length)
    next[length] = (next[length - 1] + used[length - 1]) << 1;
  for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
    std::uint32_t code = next[lengths[symbol]]++;
    std::uint32_t turned = 0;
    for (unsigned bit = 0; bit < lengths[symbol]; ++bit, code >>= 1) turned = turned << 1 | (code & 1);
    codes[symbol] = static_cast<std::uint16_t>(turned);
  }
}

}  // namespace pixmilter::render
