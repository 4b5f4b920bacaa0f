#include "server/reflection.h"

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using google::protobuf::UnknownFieldSet;
using testing::Contains;
using testing::ElementsAre;

// A request with one text field.
std::string Request(int number, const std::string& text) {
  UnknownFieldSet fields;
  fields.AddLengthDelimited(number, text);
  std::string bytes;
  fields.SerializeToString(&bytes);
  return bytes;
}

// The bytes of every field of this number in a message.
std::vector<std::string> Fields(const std::string& message, int number) {
  UnknownFieldSet fields;
  EXPECT_TRUE(fields.ParseFromString(message));
  std::vector<std::string> found;
  for (int i = 0; i < fields.field_count(); ++i) {
    if (fields.field(i).number() == number) {
      found.push_back(fields.field(i).length_delimited());
    }
  }
  return found;
}

// The only field of this number.
std::string Field(const std::string& message, int number) {
  const std::vector<std::string> found = Fields(message, number);
  EXPECT_EQ(found.size(), 1U) << "field " << number;
  return found.empty() ? std::string() : found.front();
}

std::set<std::string> FileNames(const std::string& response) {
  std::set<std::string> names;
  for (const std::string& bytes : Fields(Field(response, 4), 1)) {
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(file.ParseFromString(bytes));
    names.insert(file.name());
  }
  return names;
}

TEST(ReflectionTest, ListServicesNamesAllOfThem) {
  const std::string response = Reflect(Request(7, "*")).value();
  std::vector<std::string> names;
  for (const std::string& service : Fields(Field(response, 6), 1)) {
    names.push_back(Field(service, 1));
  }
  EXPECT_THAT(names, ElementsAre("inference.GRPCInferenceService",
                                 "relu.v1.ReluService", "grpc.health.v1.Health",
                                 "grpc.reflection.v1.ServerReflection",
                                 "grpc.reflection.v1alpha.ServerReflection"));
}

TEST(ReflectionTest, SymbolGivesItsFileAndWhatThatImports) {
  for (const char* symbol : {"inference.GRPCInferenceService",
                             "inference.GRPCInferenceService.ModelInfer",
                             "inference.ModelInferRequest"}) {
    const std::string response = Reflect(Request(4, symbol)).value();
    EXPECT_THAT(FileNames(response),
                testing::UnorderedElementsAre("proto/inference.proto",
                                              "proto/model_config.proto"))
        << symbol;
  }
}

TEST(ReflectionTest, FileIsFoundByName) {
  const std::string response =
      Reflect(Request(3, "proto/model_config.proto")).value();
  EXPECT_THAT(FileNames(response), Contains("proto/model_config.proto"));
  EXPECT_THAT(FileNames(Reflect(Request(4, "relu.v1.ReluService")).value()),
              ElementsAre("proto/relu.proto"));
}

TEST(ReflectionTest, UnknownSymbolIsAnsweredWithNotFound) {
  const std::string response = Reflect(Request(4, "no.Such")).value();
  EXPECT_THAT(Field(response, 7), testing::HasSubstr("'no.Such' not found"));
  EXPECT_EQ(Field(response, 7).substr(0, 2), "\x08\x05");  // NOT_FOUND
}

TEST(ReflectionTest, ExtensionsAreAnsweredWithNotFound) {
  const std::string response = Reflect(Request(6, "inference.X")).value();
  EXPECT_EQ(Field(response, 7).substr(0, 2), "\x08\x05");
}

TEST(ReflectionTest, ResponseRepeatsRequestAndHost) {
  const std::string request = Request(1, "here") + Request(7, "");
  const std::string response = Reflect(request).value();
  EXPECT_EQ(Field(response, 1), "here");
  EXPECT_EQ(Field(response, 2), request);
}

TEST(ReflectionTest, QuestionThatIsMissingIsAnsweredWithInvalidArgument) {
  const std::string response = Reflect("").value();
  EXPECT_EQ(Field(response, 7).substr(0, 2), "\x08\x03");
}

TEST(ReflectionTest, MalformedRequestReturnsInvalidArgument) {
  EXPECT_EQ(Reflect("\x0a\x7f").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
