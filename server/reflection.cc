#include "server/reflection.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/unknown_field_set.h"

#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "proto/relu.pb.h"
#include "server/text.h"

namespace relu {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Field numbers of ServerReflectionRequest.
enum RequestField {
  kHost = 1,
  kFileByFilename = 3,
  kFileContainingSymbol = 4,
  kFileContainingExtension = 5,
  kAllExtensionNumbersOfType = 6,
  kListServices = 7,
};

// Field numbers of ServerReflectionResponse and of the messages in it.
enum ResponseField {
  kValidHost = 1,
  kOriginalRequest = 2,
  kFileDescriptorResponse = 4,
  kListServicesResponse = 6,
  kErrorResponse = 7,
};
constexpr int kFileDescriptorProto = 1;
constexpr int kService = 1;
constexpr int kServiceName = 1;
constexpr int kErrorCode = 1;
constexpr int kErrorMessage = 2;

std::string Serialize(const UnknownFieldSet& fields) {
  std::string bytes;
  fields.SerializeToString(&bytes);
  return bytes;
}

void AddMessage(UnknownFieldSet& fields, int number,
                const UnknownFieldSet& message) {
  fields.AddLengthDelimited(number, Serialize(message));
}

void AddError(UnknownFieldSet& response, absl::StatusCode code,
              std::string_view message) {
  UnknownFieldSet error;
  error.AddVarint(kErrorCode, static_cast<std::uint64_t>(code));
  error.AddLengthDelimited(kErrorMessage, std::string(message));
  AddMessage(response, kErrorResponse, error);
}

// The file and all that it imports, each once: a client then needs to ask for
// no more.
void AddFiles(const FileDescriptor& file, std::set<std::string>& seen,
              UnknownFieldSet& response) {
  if (!seen.insert(file.name()).second) {
    return;
  }
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.AddLengthDelimited(kFileDescriptorProto, proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) {
    AddFiles(*file.dependency(i), seen, response);
  }
}

void AddFileResponse(const FileDescriptor* file, std::string_view wanted,
                     UnknownFieldSet& response) {
  if (file == nullptr) {
    AddError(response, absl::StatusCode::kNotFound,
             fmt::format("'{}' not found", Printable(wanted)));
    return;
  }
  UnknownFieldSet files;
  std::set<std::string> seen;
  AddFiles(*file, seen, files);
  AddMessage(response, kFileDescriptorResponse, files);
}

void AddServices(UnknownFieldSet& response) {
  // The services that have no descriptor here are listed too: clients know
  // them, and look whether the server has them.
  const std::string inference = inference::ModelInferRequest::descriptor()
                                    ->file()
                                    ->service(0)
                                    ->full_name();
  const std::string relu =
      v1::ExplainRequest::descriptor()->file()->service(0)->full_name();
  UnknownFieldSet services;
  for (const std::string& name :
       {inference, relu, std::string("grpc.health.v1.Health"),
        std::string("grpc.reflection.v1.ServerReflection"),
        std::string("grpc.reflection.v1alpha.ServerReflection")}) {
    UnknownFieldSet service;
    service.AddLengthDelimited(kServiceName, name);
    AddMessage(services, kService, service);
  }
  AddMessage(response, kListServicesResponse, services);
}

void Answer(const UnknownField& question, UnknownFieldSet& response) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  const std::string& name = question.length_delimited();
  switch (question.number()) {
    case kFileByFilename:
      AddFileResponse(pool.FindFileByName(name), name, response);
      break;
    case kFileContainingSymbol:
      AddFileResponse(pool.FindFileContainingSymbol(name), name, response);
      break;
    case kListServices:
      AddServices(response);
      break;
    default:  // Extensions: none of our messages has any.
      AddError(response, absl::StatusCode::kNotFound,
               "there are no extensions");
  }
}

}  // namespace

absl::StatusOr<std::string> Reflect(std::string_view request) {
  UnknownFieldSet fields;
  if (!fields.ParseFromArray(request.data(),
                             static_cast<int>(request.size()))) {
    return absl::InvalidArgumentError(
        "the request is no ServerReflectionRequest");
  }
  UnknownFieldSet response;
  const UnknownField* question = nullptr;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.type() != UnknownField::TYPE_LENGTH_DELIMITED) {
      continue;
    }
    if (field.number() == kHost) {
      response.AddLengthDelimited(kValidHost, field.length_delimited());
    } else if (field.number() >= kFileByFilename &&
               field.number() <= kListServices) {
      question = &field;
    }
  }
  response.AddLengthDelimited(kOriginalRequest, std::string(request));
  if (question == nullptr) {
    AddError(response, absl::StatusCode::kInvalidArgument,
             "the request asks for nothing that is known");
  } else {
    Answer(*question, response);
  }
  return Serialize(response);
}

}  // namespace relu
