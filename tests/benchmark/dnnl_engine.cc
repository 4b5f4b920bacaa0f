// oneDNN: inner products with ReLU as a post-operation, and weights in the
// layout that the primitive asks for.

#include <fmt/format.h>
#include <omp.h>

#include <cstddef>
#include <memory>
#include <unordered_map>

#include "oneapi/dnnl/dnnl.hpp"
#include "tests/benchmark/layered_engine.h"
#include "tests/benchmark/peers.h"

namespace relu::benchmarks {
namespace {

using dnnl::memory;
using Dims = memory::dims;
using FormatTag = memory::format_tag;

class DnnlLayer : public LayerRunner {
 public:
  DnnlLayer(const Layer& layer, std::size_t rows, const dnnl::engine& engine)
      : stream_(engine) {
    const auto m = static_cast<memory::dim>(rows);
    const auto k = static_cast<memory::dim>(layer.k);
    const auto n = static_cast<memory::dim>(layer.n);
    constexpr auto kF32 = memory::data_type::f32;
    const memory::desc source(Dims{m, k}, kF32, FormatTag::ab);
    const memory::desc target(Dims{m, n}, kF32, FormatTag::ab);
    const memory::desc bias(Dims{n}, kF32, FormatTag::a);
    const dnnl::inner_product_forward::desc descriptor(
        dnnl::prop_kind::forward_inference, source,
        memory::desc(Dims{n, k}, kF32, FormatTag::any), bias, target);
    dnnl::primitive_attr attributes;
    if (layer.relu) {
      dnnl::post_ops operations;
      operations.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F,
                                0.0F);
      attributes.set_post_ops(operations);
    }
    const dnnl::inner_product_forward::primitive_desc primitive(
        descriptor, attributes, engine);
    primitive_ = dnnl::inner_product_forward(primitive);
    source_ = memory(source, engine, nullptr);
    target_ = memory(target, engine, nullptr);
    arguments_ = {{DNNL_ARG_SRC, source_},
                  {DNNL_ARG_WEIGHTS, PackWeights(layer, primitive, engine)},
                  {DNNL_ARG_BIAS, Copy(bias, layer.bias.data(), engine)},
                  {DNNL_ARG_DST, target_}};
  }

  void Run(const float* input, float* output) override {
    // Its interface takes no const; it does not write to the source.
    source_.set_data_handle(const_cast<float*>(input));
    target_.set_data_handle(output);
    primitive_.execute(stream_, arguments_);
  }

 private:
  static memory Copy(const memory::desc& description, const float* values,
                     const dnnl::engine& engine) {
    memory copy(description, engine);
    std::copy_n(values, description.get_size() / sizeof(float),
                static_cast<float*>(copy.get_data_handle()));
    return copy;
  }

  memory PackWeights(
      const Layer& layer,
      const dnnl::inner_product_forward::primitive_desc& primitive,
      const dnnl::engine& engine) {
    // Ours are [k, n], which is "ba" of [n, k].
    memory plain = Copy(memory::desc(Dims{static_cast<memory::dim>(layer.n),
                                          static_cast<memory::dim>(layer.k)},
                                     memory::data_type::f32, FormatTag::ba),
                        layer.weights.data(), engine);
    memory packed(primitive.weights_desc(), engine);
    dnnl::reorder(plain, packed).execute(stream_, plain, packed);
    stream_.wait();
    return packed;
  }

  dnnl::stream stream_;
  dnnl::inner_product_forward primitive_;
  memory source_;
  memory target_;
  std::unordered_map<int, memory> arguments_;
};

}  // namespace

std::unique_ptr<Engine> MakeDnnlEngine(int threads) {
  const dnnl_version_t& version = *dnnl_version();
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return std::make_unique<LayeredEngine>(
      "oneDNN",
      fmt::format("{}.{}.{}", version.major, version.minor, version.patch),
      [threads, engine](const Layer& layer, std::size_t rows) {
        omp_set_num_threads(threads);
        return std::make_unique<DnnlLayer>(layer, rows, engine);
      });
}

}  // namespace relu::benchmarks
