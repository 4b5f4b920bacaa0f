// Golden hashes: a file that holds one number for the bits of each of many
// results, where the bits themselves would be too many.

#ifndef TESTS_SUPPORT_GOLDEN_HASHES_H_
#define TESTS_SUPPORT_GOLDEN_HASHES_H_

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <ios>
#include <span>
#include <string>

#include "gtest/gtest.h"

namespace relu {

// FNV-1a of 64 bits.
inline std::uint64_t HashOf(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::byte byte : bytes) {
    hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3U;
  }
  return hash;
}

// Fails unless `path` has a line of `name` and the hash of `bytes`.
inline void ExpectGoldenHash(const std::string& path, const std::string& name,
                             std::span<const std::byte> bytes) {
  std::ifstream file(path);
  for (std::string comment; file.peek() == '#';) {
    std::getline(file, comment);
  }
  std::string word;
  std::uint64_t golden = 0;
  while (file >> word >> std::hex >> golden && word != name) {
  }
  EXPECT_TRUE(file.good()) << path << " has nothing of " << name;
  EXPECT_EQ(HashOf(bytes), golden)
      << name << " has other bits: their hash is " << std::hex << HashOf(bytes);
}

}  // namespace relu

#endif  // TESTS_SUPPORT_GOLDEN_HASHES_H_
