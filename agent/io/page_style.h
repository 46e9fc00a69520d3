// The look of the pages: system fonts, light and dark by the reader's choice, tables that become cards on a
// narrow screen. Inline, because a page must work without anything else being reachable.
#pragma once

#include <string_view>

namespace flintgauge {

inline constexpr std::string_view kPageStyle = R"css(
:root{color-scheme:light dark;--ground:#f5f6f8;--card:#fff;--ink:#1c2430;--soft:#5d6876;--line:#e3e6eb;
--accent:#b4531f;--good:#1a7f45;--bad:#b3261e;--bad-ground:#fdeceb;--track:#e9ecf0}
@media (prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1a2029;--ink:#e6eaf0;--soft:#98a4b3;--line:#2a323d;
--accent:#f0915a;--good:#5bc98a;--bad:#ff8a80;--bad-ground:#3a1f1f;--track:#2b3440}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header>div,footer{max-width:1180px;margin:0 auto;padding:0 20px}
header{background:var(--card);border-bottom:1px solid var(--line);padding:18px 0}
header>div{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 18px}
h1{font-size:21px;margin:0;letter-spacing:-.01em}h1 i{font-style:normal;color:var(--accent)}
h2{font-size:16px;margin:30px 0 10px}h2 small{font-weight:400;color:var(--soft);font-size:13px;margin-left:6px}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
.soft{color:var(--soft)}.small{font-size:13px}
.right{margin-left:auto}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-top:20px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.tile b{display:block;font-size:25px;font-weight:600;font-variant-numeric:tabular-nums;line-height:1.25}
.tile b small{font-size:15px;color:var(--soft);font-weight:400}.tile.bad b{color:var(--bad)}
.sheet{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow-x:auto}
table{border-collapse:collapse;width:100%}
th{font-size:12px;font-weight:500;color:var(--soft);text-align:left;padding:9px 14px;border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:10px 14px;border-bottom:1px solid var(--line);vertical-align:top;font-variant-numeric:tabular-nums}
tr:last-child td{border-bottom:0}
td>div.soft{font-size:13px}
.id{overflow-wrap:anywhere;min-width:170px}.app{min-width:300px}
td:not(.id):not([data-label=Hint]){white-space:nowrap}
.bar{height:5px;border-radius:3px;background:var(--track);margin-top:6px;min-width:90px;max-width:170px;overflow:hidden}
.bar span{display:block;height:100%;background:var(--accent);border-radius:3px}
.hint{font-size:17px;font-weight:600;white-space:nowrap}
.state{display:inline-block;border-radius:99px;padding:1px 10px;font-size:12.5px;font-weight:600;white-space:nowrap;border:1px solid}
.up{color:var(--good)}.down{color:var(--bad);background:var(--bad-ground)}.other{color:var(--soft);font-weight:500}
.error{color:var(--bad);overflow-wrap:anywhere;font-size:13px;margin-top:3px}
.none{padding:18px 16px;color:var(--soft)}
ol.steps{margin:0;padding:12px 16px 12px 40px;font-variant-numeric:tabular-nums}ol.steps li{padding:3px 0}
ol.steps b{font-weight:600}.note{padding:12px 16px;margin:0;border-top:1px solid var(--line);color:var(--soft)}
td.wide{white-space:normal!important}
.paste{font:13px/1.5 ui-monospace,monospace;color:var(--ink);overflow-x:auto}
footer{padding-top:26px;padding-bottom:40px;color:var(--soft);font-size:13px}footer a{margin-right:14px;white-space:nowrap}
@media (max-width:760px){main,header>div,footer{padding:0 14px}.right{margin-left:0}
.tiles{grid-template-columns:1fr 1fr}
thead{display:none}table,tbody,tr{display:block}tr{padding:10px 0;border-bottom:1px solid var(--line)}tr:last-child{border-bottom:0}
td{display:flex;justify-content:space-between;gap:14px;border:0;padding:4px 14px;text-align:right}
td:before{content:attr(data-label);color:var(--soft);font-size:13px;flex:none;text-align:left}
td:not(.id):not([data-label=Hint]){white-space:normal}
td.id{display:block;min-width:0;text-align:left}td.id:before{display:none}td>div{min-width:0}.bar{margin-left:auto;width:130px}}
)css";

}  // namespace flintgauge
