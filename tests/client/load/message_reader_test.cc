#include "client/load/message_reader.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu::load {
namespace {

using testing::ElementsAre;

// The messages that come out of `stream` when it arrives in pieces.
std::vector<std::string> Read(std::string_view stream,
                              std::size_t piece_bytes) {
  MessageReader reader;
  std::vector<std::string> messages;
  while (!stream.empty()) {
    std::string_view piece = stream.substr(0, piece_bytes);
    stream.remove_prefix(piece.size());
    while (!piece.empty()) {
      const auto complete = reader.Next(piece);
      EXPECT_TRUE(complete.ok()) << complete.status();
      if (*complete) {
        messages.emplace_back(reader.message());
      }
    }
  }
  EXPECT_FALSE(reader.inside_message() && messages.empty());
  return messages;
}

TEST(MessageReaderTest, ReadsMessagesHoweverTheyAreCut) {
  const std::string stream = WithMessagePrefix("first") +
                             WithMessagePrefix("") +
                             WithMessagePrefix(std::string(300, 'x'));
  for (std::size_t piece_bytes = 1; piece_bytes <= stream.size();
       ++piece_bytes) {
    EXPECT_THAT(Read(stream, piece_bytes),
                ElementsAre("first", "", std::string(300, 'x')))
        << piece_bytes;
  }
}

TEST(MessageReaderTest, KnowsThatAMessageHasNotEnded) {
  MessageReader reader;
  const std::string message = WithMessagePrefix("abc");
  std::string_view bytes = std::string_view(message).substr(0, 7);
  EXPECT_EQ(reader.Next(bytes).value(), false);
  EXPECT_TRUE(bytes.empty());
  EXPECT_TRUE(reader.inside_message());
  reader.Reset();
  EXPECT_FALSE(reader.inside_message());
}

TEST(MessageReaderTest, RefusesWhatIsCompressedOrTooLarge) {
  for (const std::string_view prefix :
       {std::string_view("\x01\x00\x00\x00\x01x", 6),
        std::string_view("\x00\xFF\xFF\xFF\xFFx", 6)}) {
    MessageReader reader;
    std::string_view bytes = prefix;
    EXPECT_EQ(reader.Next(bytes).status().code(), absl::StatusCode::kInternal);
  }
}

}  // namespace
}  // namespace relu::load
