// The style sheet of the preview page. Light and dark by the reader's own choice; one column beneath 760 px.
//
// Type and space do the work: one scale of sizes, one of distances, and colour only for what became of a
// picture (green: embedded, blue: converted, amber: left as it was).
#pragma once

namespace pixmilter::cli {

inline constexpr char kPreviewStyle[] = R"css(
:root{
  color-scheme:light dark;
  --paper:#f5f3ee; --card:#fffefb; --ink:#1d1c1a; --soft:#67625a; --line:#e2ddd2; --inset:#f0ece4;
  --good:#1d7a4c; --good-bg:#e3f3e9; --work:#2257b8; --work-bg:#e5edfb;
  --warn:#96590a; --warn-bg:#fbeed6; --bad:#b3261e; --bad-bg:#fce6e3; --quiet-bg:#ece8df;
  --check:#e9e5dc; --check-2:#fbfaf6;
  --sans:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans","DejaVu Sans",sans-serif;
  --mono:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;
  --shadow:0 1px 2px rgb(40 34 20/.06),0 6px 20px -10px rgb(40 34 20/.18);
}
@media (prefers-color-scheme:dark){:root{
  --paper:#131417; --card:#1c1e23; --ink:#e9e7e2; --soft:#a19d94; --line:#31343b; --inset:#25282e;
  --good:#6fd19b; --good-bg:#173526; --work:#8fb6ff; --work-bg:#1b2c4d;
  --warn:#f0bd6a; --warn-bg:#3b2b12; --bad:#ff9a90; --bad-bg:#45201d; --quiet-bg:#2a2d33;
  --check:#2b2e34; --check-2:#363a41; --shadow:none;
}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 var(--sans);overflow-wrap:anywhere}
h1,h2,h3,p,ul,ol,dl,dd,figure,table{margin:0;padding:0}
ul,ol{list-style:none}
.page{max-width:1180px;margin:0 auto;padding:28px 28px 56px}
.brand{font-size:13px;font-weight:600;color:var(--soft);letter-spacing:.02em}
.brand b{color:var(--ink)}
h1{margin:10px 0 6px;font-size:30px;line-height:1.2;font-weight:650;letter-spacing:-.015em;text-wrap:balance}
.route{display:flex;flex-wrap:wrap;gap:2px 20px;color:var(--soft);font-size:14px}
.route b{font-weight:500;color:var(--ink)}
h2{margin:44px 0 4px;font-size:20px;font-weight:650;letter-spacing:-.01em}
.lead{margin-bottom:16px;color:var(--soft);font-size:14.5px;max-width:68ch}

.verdict{display:grid;grid-template-columns:auto 1fr;gap:6px 16px;align-items:baseline;margin-top:22px;padding:18px 22px;
  border-radius:14px 14px 0 0;background:var(--tone-bg);border:1px solid var(--line);border-bottom:0}
.verdict strong{font-size:20px;font-weight:650;color:var(--tone);letter-spacing:-.01em}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(168px,1fr));gap:1px;background:var(--line);
  border:1px solid var(--line);border-radius:0 0 14px 14px;overflow:hidden;box-shadow:var(--shadow)}
.numbers div{background:var(--card);padding:12px 22px 14px}
.numbers dt{font-size:12.5px;color:var(--soft)}
.numbers dd{font-size:17px;font-weight:600;font-variant-numeric:tabular-nums}
.numbers dd small{font-size:13px;font-weight:400;color:var(--soft);white-space:nowrap}
.good{--tone:var(--good);--tone-bg:var(--good-bg)}
.work{--tone:var(--work);--tone-bg:var(--work-bg)}
.warn{--tone:var(--warn);--tone-bg:var(--warn-bg)}
.bad{--tone:var(--bad);--tone-bg:var(--bad-bg)}
.quiet{--tone:var(--soft);--tone-bg:var(--quiet-bg)}
.tag{display:inline-block;padding:1px 9px;border-radius:99px;background:var(--tone-bg);color:var(--tone);font-size:12.5px;
  font-weight:600;line-height:1.6;white-space:nowrap}

.pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:20px;align-items:start}
.pair.one{grid-template-columns:minmax(0,1fr)}
.client,.tree,.card,.rules{background:var(--card);border:1px solid var(--line);border-radius:14px;box-shadow:var(--shadow)}
.client{overflow:hidden}
.client>figcaption,.tree>h3{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:2px 12px;
  padding:11px 18px;border-bottom:1px solid var(--line);font-size:14px}
.client>figcaption b,.tree>h3 b{font-weight:650;font-size:15px}
.client>figcaption span,.tree>h3 span{color:var(--soft);font-weight:400}
.client iframe{display:block;width:100%;border:0;background:#fff;resize:vertical;color-scheme:light}
.client .sheet{background:#fff;color:#1b1b1f;padding:16px;color-scheme:light}
.client .sheet+.sheet,.client iframe+.sheet,.client .sheet+iframe,.client iframe+iframe{border-top:1px solid #e7e4dc}
.client pre{margin:0;font:14px/1.5 var(--mono);white-space:pre-wrap;overflow-wrap:anywhere;max-height:460px;overflow:auto}
.client .sheet img{display:block;max-width:100%;max-height:460px;height:auto}
.client .sheet small{display:block;margin-top:6px;color:#67625a}
.client .note{padding:9px 18px;font-size:13.5px;color:var(--soft);border-top:1px solid var(--line)}
.files{display:flex;flex-wrap:wrap;gap:8px;padding:12px 18px;border-top:1px solid var(--line)}
.files li{padding:5px 12px;border:1px solid var(--line);border-radius:9px;background:var(--inset);font-size:13.5px;max-width:100%}
.files span{color:var(--soft)}

.cards{display:grid;gap:14px}
.card{display:grid;grid-template-columns:auto minmax(0,1fr);gap:8px 24px;padding:18px}
.thumbs{display:grid;grid-template-columns:148px 20px 148px;align-items:center;gap:8px}
.thumb{text-align:center;font-size:12.5px;color:var(--soft)}
.thumb>div{display:grid;place-items:center;height:124px;border-radius:9px;overflow:hidden;border:1px solid var(--line);
  background:conic-gradient(var(--check) 25%,var(--check-2) 0 50%,var(--check) 0 75%,var(--check-2) 0) 0 0/16px 16px}
.thumb>div.none{background:var(--inset);padding:8px;line-height:1.35}
.thumb img{max-width:146px;max-height:122px;min-width:1px;object-fit:contain;display:block}
.thumb img.tiny{width:64px;height:64px;image-rendering:pixelated}
.thumb p{margin-top:5px}
.arrow{text-align:center;color:var(--soft);font-size:18px;padding-bottom:24px}
.card h3{font-size:16px;font-weight:600;line-height:1.35}
.card .head{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:baseline}
.card .why{margin:4px 0 8px}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:2px 22px 2px 0;text-align:left;font-weight:400;vertical-align:baseline}
thead th,tbody th{color:var(--soft)}
.places{margin-top:8px;font-size:13.5px;color:var(--soft)}
code{font:.92em var(--mono)}
.also{margin:22px 0 8px;font-size:15px;font-weight:650}
.others{display:grid;gap:6px;font-size:14px}
.others li{display:flex;flex-wrap:wrap;gap:0 10px}
.others span{color:var(--soft)}

.tree>h3{font-weight:400}
.tree ol{padding:8px 0 10px}
.tree li{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:0 12px;padding:5px 18px 5px calc(18px + var(--depth)*18px);
  font-size:14px;align-items:baseline}
.tree li>div{position:relative}
.tree li.in>div::before{content:"";position:absolute;left:-12px;top:-8px;bottom:calc(100% - .75em);width:7px;
  border:solid var(--line);border-width:0 0 1.5px 1.5px;border-radius:0 0 0 4px}
.tree code{font-weight:500}
.tree small{font-size:13px;color:var(--soft)}
.tree .size{color:var(--soft);font-variant-numeric:tabular-nums;white-space:nowrap}
.tree .new{background:var(--good-bg)} .tree .changed{background:var(--work-bg)} .tree .gone{background:var(--warn-bg)}
.tree .tag{margin-left:4px;background:none;padding:0;color:var(--tone)}

.rules{padding:6px 20px}
.rules li{padding:10px 0;font-size:14.5px}
.rules li+li{border-top:1px solid var(--line)}
.rules span{color:var(--soft)}
footer{margin-top:40px;padding-top:16px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}

@media (max-width:760px){
  .page{padding:18px 14px 40px}
  h1{font-size:24px} h2{margin-top:34px}
  .verdict{grid-template-columns:1fr;padding:14px 16px}
  .numbers{grid-template-columns:1fr 1fr} .numbers div{padding:10px 16px 12px}
  .numbers div:last-child:nth-child(odd){grid-column:1/-1}
  .pair{grid-template-columns:minmax(0,1fr)}
  .card{grid-template-columns:minmax(0,1fr);padding:14px}
  .thumbs{grid-template-columns:minmax(0,1fr) 16px minmax(0,1fr);gap:6px}
  .thumb img{max-width:100%}
  th,td{padding-right:14px}
}
@media print{.client,.card,.tree{break-inside:avoid;box-shadow:none}}
)css";

}  // namespace pixmilter::cli
