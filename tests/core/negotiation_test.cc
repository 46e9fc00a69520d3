#include <gtest/gtest.h>

#include "flintgauge/exposition.h"

namespace flintgauge {
namespace {

struct Case {
  const char* name;
  const char* accept;
  PageFormat format;
};
constexpr PageFormat kText = PageFormat::kText004;
constexpr PageFormat kOpen = PageFormat::kOpenMetrics100;

class Negotiate : public testing::TestWithParam<Case> {};

TEST_P(Negotiate, PicksTheTypeTheClientLikesBest) {
  EXPECT_EQ(negotiate(GetParam().accept), GetParam().format) << GetParam().accept;
}

INSTANTIATE_TEST_SUITE_P(
    Accept, Negotiate,
    testing::Values(
        Case{"prometheus_2",
             "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
             "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
             kOpen},
        Case{"prometheus_3",
             "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
             "application/openmetrics-text;version=0.0.1;q=0.4,text/"
             "plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
             "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
             kOpen},
        Case{"prometheus_3_protobuf_first",
             "application/"
             "vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
             "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/"
             "plain;version=0.0.4;q=0.3",
             kOpen},
        Case{"vmagent", "text/plain;version=0.0.4;q=1,*/*;q=0.1", kText},
        Case{"browser", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", kText},
        Case{"curl", "*/*", kText}, Case{"missing", "", kText}, Case{"json_only", "application/json", kText},
        Case{"garbage", "\x01\xff;;;=,,\"", kText}, Case{"only_commas", ",,, ,", kText},
        Case{"text_liked_better", "text/plain;q=0.9,application/openmetrics-text;q=0.8", kText},
        Case{"open_liked_better", "text/plain;q=0.8,application/openmetrics-text;q=0.9", kOpen},
        Case{"equal_text_first", "text/plain,application/openmetrics-text", kText},
        Case{"equal_open_first", "application/openmetrics-text,text/plain", kOpen},
        Case{"open_without_version", "application/openmetrics-text", kOpen},
        Case{"open_1_beside_anything", "*/*, application/openmetrics-text; version=1.0.0", kOpen},
        Case{"open_0_0_1_alone", "application/openmetrics-text;version=0.0.1", kText},
        Case{"open_0_0_1_with_1_0_0",
             "application/openmetrics-text;version=0.0.1;q=0.9,text/plain;q=0.5,"
             "application/openmetrics-text;version=1.0.0;q=0.1",
             kOpen},
        Case{"open_0_0_1_with_1_0_0_refused",
             "application/openmetrics-text;version=0.0.1,application/openmetrics-text;version=1.0.0;q=0",
             kText},
        Case{"open_of_the_future", "application/openmetrics-text;version=2.0.0", kText},
        Case{"open_refused", "application/openmetrics-text;q=0", kText},
        Case{"open_refused_rest_liked", "application/openmetrics-text;q=0,*/*", kText},
        Case{"text_refused_rest_liked", "text/plain;q=0,*/*", kOpen}, Case{"any_text", "text/*", kText},
        Case{"any_application", "application/*", kOpen},
        Case{"unreadable_q_does_not_count", "application/openmetrics-text;q=high,text/plain;q=0.1", kText},
        Case{"q_over_one_does_not_count", "application/openmetrics-text;q=1.5,text/plain;q=0.1", kText},
        Case{"long_q", "application/openmetrics-text;q=0.123456789,text/plain;q=0.1", kOpen},
        Case{"spaces_and_case", " Application/OpenMetrics-Text ; Version=1.0.0 ; Q=1.0 ,\ttext/plain;q=0.5",
             kOpen},
        Case{"quoted_version", "application/openmetrics-text;version=\"1.0.0\"", kOpen},
        Case{"comma_in_quotes", "text/plain;x=\"a,application/openmetrics-text;\\\"\";q=0.3", kText}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(AcceptsGzip, OnlyWhenAskedByNameAndNotRefused) {
  for (const char* yes :
       {"gzip", "gzip, deflate, br", "GZip;q=0.001", "deflate, gzip;q=1.0", "x-gzip", "br,gzip ; q=0.5"}) {
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  }
  for (const char* no : {"", "identity", "*", "deflate", "gzip;q=0", "gzip;q=0.000", "gzipped", "gzip;q=x",
                         "\"gzip\"", "br;gzip"}) {
    EXPECT_FALSE(accepts_gzip(no)) << no;
  }
}

TEST(ContentType, CarriesTheVersionAndTheEscapingThatWasAsked) {
  EXPECT_EQ(content_type(kText), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(content_type(kText, "text/plain;escaping=underscores"), content_type(kText));
  EXPECT_EQ(content_type(kOpen), "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(content_type(kOpen, "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8"),
            content_type(kOpen));
  EXPECT_EQ(content_type(kOpen, "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5"),
            "application/openmetrics-text; version=1.0.0; escaping=underscores; charset=utf-8");
}

}  // namespace
}  // namespace flintgauge
