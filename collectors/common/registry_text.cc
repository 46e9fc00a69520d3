#include "collectors/common/registry_text.h"

#include <utility>
#include <variant>
#include <vector>

#include "collectors/common/spark_registry.h"
#include "collectors/common/text_decoder.h"

namespace flintgauge {
namespace {

TextPage text_page(RegistryPage page) {
  TextPage text = text_page_by_name(std::move(page.route));
  text.limits = kTenantTextLimits;
  text.lenient = true;
  text.labels = page.labels;
  return text;
}

class RegistryTextDecoder final : public Decoder {
 public:
  explicit RegistryTextDecoder(RegistryPage page)
      : unit_(page.unit), text_(make_text_decoder(text_page(std::move(page)))) {}

  void begin() override {
    counts_ = {};
    text_->begin();
  }
  Status feed(std::string_view bytes) override { return text_->feed(bytes); }

  Result<Batch> finish() override {
    Result<Batch> batch = text_->finish();
    counts_ = text_->counts();
    if (!batch) return batch;
    auto& told = std::get<SampleBatch>(*batch);
    samples_.clear();
    for (Sample sample : told.samples) {
      if (sample.value < 0) {
        --counts_.kept;
        ++counts_.not_finite;
        continue;
      }
      sample.value = to_base(unit_(told.routes[sample.series].measure), sample.value);
      samples_.push_back(sample);
    }
    told.samples = samples_;
    return batch;
  }

  const ScrapeCounts& counts() const override { return counts_; }

 private:
  RegistryUnit (*unit_)(Measure measure);
  std::unique_ptr<Decoder> text_;
  std::vector<Sample> samples_;
  ScrapeCounts counts_;
};

}  // namespace

std::unique_ptr<Decoder> make_registry_text_decoder(RegistryPage page) {
  return std::make_unique<RegistryTextDecoder>(std::move(page));
}

}  // namespace flintgauge
