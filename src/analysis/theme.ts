/**
 * The report's colours and style sheet. Text keeps at least 4.5 : 1 and marks 3 : 1 against the page,
 * light and dark; paper is always light.
 */

/** Light colours by name; charts use them as they are, the page as `--name`. All differ. */
export const PALETTE = {
  page: '#fbfaf8',
  card: '#fffffe',
  ink: '#1c2127',
  muted: '#5d6672',
  line: '#c9cdd3',
  grid: '#e6e7e9',
  accent: '#0b6b62',
  wash: '#e4f1ef',
  plain: '#7a8491',
  warm: '#b4540a',
} as const;

const DARK: Record<keyof typeof PALETTE, string> = {
  page: '#14171b',
  card: '#1b1f24',
  ink: '#e8eaed',
  muted: '#a3acb8',
  line: '#434a54',
  grid: '#2b3138',
  accent: '#4ecbbb',
  wash: '#16312f',
  plain: '#8d97a5',
  warm: '#f0a55a',
};

const variables = (colours: Record<string, string>) =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';');

/** The page's style sheet. */
export const STYLE = `
:root{color-scheme:light dark;${variables(PALETTE)}}
@media screen and (prefers-color-scheme:dark){:root{${variables(DARK)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);
  font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
  font-variant-numeric:tabular-nums}
main,header.top,footer{max-width:64rem;margin:0 auto;padding:0 2rem}
header.top{padding-top:4rem}
.eyebrow{margin:0 0 .75rem;font-size:.8125rem;letter-spacing:.04em;color:var(--accent);font-weight:600}
h1{margin:0;font-size:2.375rem;line-height:1.15;letter-spacing:-.02em;font-weight:680;text-wrap:balance}
.summary{margin:1.25rem 0 0;max-width:42rem;font-size:1.125rem;line-height:1.6;text-wrap:pretty}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);margin:2.25rem 0 0;padding:0;
  border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
.tiles div{padding:1.1rem 1.25rem 1.1rem 0}
.tiles div+div{padding-left:1.25rem;border-left:1px solid var(--grid)}
.tiles dt{font-size:.8125rem;color:var(--muted)}
.tiles dd{margin:.1rem 0 0;font-size:1.75rem;line-height:1.25;font-weight:650;letter-spacing:-.015em}
.tiles small{display:block;margin-top:.15rem;font-size:.8125rem;font-weight:400;letter-spacing:0;color:var(--muted);line-height:1.4}
.tiles .main dd{color:var(--accent)}
.tiles .main small{color:var(--muted)}
section{margin-top:3.75rem}
h2{margin:0 0 .35rem;font-size:1.375rem;line-height:1.3;letter-spacing:-.01em;font-weight:650}
h3{margin:0;font-size:1rem;font-weight:650}
.lead{margin:0 0 1.25rem;max-width:42rem;color:var(--muted);text-wrap:pretty}
p{max-width:42rem}
table{width:100%;border-collapse:collapse;font-size:.9375rem}
.scroll{overflow-x:auto}
th,td{padding:.6rem .6rem;text-align:right;vertical-align:baseline;border-bottom:1px solid var(--grid)}
th:first-child,td:first-child{text-align:left;padding-left:.5rem}
thead th{font-size:.8125rem;font-weight:500;color:var(--muted);border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:bottom}
tbody th{font-weight:600;min-width:9rem;max-width:18rem;overflow-wrap:anywhere}
td small{display:block;font-weight:400;color:var(--muted);font-size:.8125rem;white-space:nowrap}
td.nowrap{white-space:nowrap}
.best{font-weight:700}
.best::before{content:"★";margin-right:.3em;color:var(--warm);font-size:.8em}
tr.main th,tr.main td{background:var(--wash)}
tr.main th{color:var(--accent)}
.key{margin:.6rem 0 0;font-size:.8125rem;color:var(--muted)}
figure{margin:1.75rem 0 0}
figcaption{margin-bottom:.6rem;font-size:.9375rem;font-weight:600}
figcaption span{display:block;font-weight:400;color:var(--muted);font-size:.8125rem}
figure svg{display:block;max-width:100%;height:auto;overflow:visible}
.narrow{display:none}
.verdict{margin:0;padding:1.4rem 1.6rem;max-width:none;background:var(--wash);border-radius:.6rem;font-size:1.0625rem;text-wrap:pretty}
.verdict strong{color:var(--accent)}
.example{margin-top:1.25rem;padding:1.5rem 1.6rem;background:var(--card);border:1px solid var(--grid);border-radius:.6rem;break-inside:avoid}
.example header{display:flex;flex-wrap:wrap;gap:.25rem .9rem;align-items:baseline;margin-bottom:1rem}
.example header p{margin:0;font-size:.875rem;color:var(--muted)}
.columns{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,8fr);gap:2rem}
.label{margin:0 0 .4rem;font-size:.8125rem;color:var(--muted)}
.history{margin:0;padding-left:1.6em;font-size:.875rem;line-height:1.5}
.history li::marker{color:var(--muted);font-size:.8125rem}
.history li{padding-left:.25em;margin:.15rem 0}
.details{color:var(--muted);font-size:.75rem;font-weight:400}
.ranking{font-size:.875rem}
.ranking td{padding:.3rem .4rem;border:0;text-align:left;line-height:1.35}
.ranking td:first-child{width:1.8rem;text-align:right;color:var(--muted);padding-left:0}
.ranking td.bar{width:30%;vertical-align:middle}
.ranking td.score{white-space:nowrap;width:4.5rem;text-align:right;color:var(--muted)}
.bar i{display:block;height:.5rem;border-radius:.25rem;background:var(--line);min-width:2px}
.ranking tr.target td{font-weight:650}
.ranking tr.target .bar i{background:var(--accent)}
.ranking tr.target td.score{color:var(--ink)}
.ranking tr.gap td{color:var(--muted);padding:.05rem .4rem;line-height:1}
.chip{display:inline-block;white-space:nowrap;margin-left:.5em;padding:.05em .55em;border-radius:1em;background:var(--accent);color:var(--card);font-size:.6875rem;font-weight:650;vertical-align:.08em}
.gates figure{margin-top:.25rem}
.gates .wide-only{display:none}
.gates .narrow{display:block}
.gates{margin-top:1.4rem}
dl.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.35rem 1.5rem;margin:0;font-size:.9375rem}
dl.facts dt{color:var(--muted)}
dl.facts dd{margin:0;overflow-wrap:anywhere}
dl.facts dd.code,code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.8125rem}
.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:2rem 3rem}
.pair h3,.wide h3{margin-bottom:.6rem}
.wide{margin-top:2rem}
.wide figure{margin-top:.25rem}
pre{margin:0;padding:1.1rem 1.25rem;overflow-x:auto;background:var(--card);border:1px solid var(--grid);border-radius:.6rem;
  font:.8125rem/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
pre.command{white-space:pre-wrap;margin-bottom:2rem}
.notes{margin:0;padding-left:1.2em;max-width:44rem}
.notes li{margin:.5rem 0;padding-left:.2em}
.notes li::marker{color:var(--accent)}
footer{margin-top:4rem;padding-top:1.25rem;padding-bottom:3rem;font-size:.8125rem;color:var(--muted)}
footer p{max-width:none;margin:.3rem 0;border-top:1px solid var(--line);padding-top:1.25rem}
@media (max-width:1000px),print{
  table.stack{font-size:.8125rem}
  table.stack th,table.stack td{padding:.45rem .35rem}
  table.stack thead th,table.stack td small{font-size:.6875rem}
  .tiles dd{font-size:1.375rem}
}
@media screen and (max-width:720px){
  main,header.top,footer{padding-left:1.25rem;padding-right:1.25rem}
  header.top{padding-top:2.25rem}
  h1{font-size:1.75rem}
  .summary{font-size:1.0625rem}
  .tiles{grid-template-columns:1fr 1fr}
  .tiles div,.tiles div+div{padding:.9rem 1rem .9rem 0;border-left:0}
  .tiles div:nth-child(even){padding-left:1rem;border-left:1px solid var(--grid)}
  .tiles div:nth-child(n+3){border-top:1px solid var(--grid)}
  section{margin-top:3rem}
  .wide-only{display:none}
  .narrow{display:block}
  .columns,.pair{grid-template-columns:minmax(0,1fr);gap:1.25rem}
  .example{padding:1.15rem 1.1rem}
  .verdict{padding:1.1rem 1.15rem;font-size:1rem}
  table.stack{font-size:.9375rem}
  table.stack td small{font-size:.8125rem}
  table.stack thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
  table.stack tr{display:grid;grid-template-columns:1fr 1fr;gap:0 1rem;padding:.75rem .6rem;border-bottom:1px solid var(--grid)}
  table.stack tr.main{background:var(--wash);border-radius:.5rem}
  table.stack th,table.stack td{display:block;padding:.2rem 0;border:0;text-align:left}
  table.stack th:first-child,table.stack td:first-child{grid-column:1/-1;padding-left:0;font-size:1rem}
  table.stack td::before{content:attr(data-label);display:block;font-size:.75rem;font-weight:400;color:var(--muted)}
  table.stack .best::before{content:attr(data-label) " ★";color:var(--muted);margin:0;font-size:.75rem}
  table.stack td small{margin:0}
  table.stack th{white-space:normal}
  .ranking td.bar{width:20%}
  .ranking td.score{width:3.6rem}
  .wide dl.facts{grid-template-columns:minmax(0,1fr);gap:0}
  .wide dl.facts dd{margin-bottom:.6rem}
}
@media print{
  body{font-size:10.5pt;background:#fff}
  main,header.top,footer{max-width:none;padding:0}
  section{margin-top:2rem}
  h2,h3,figcaption,.lead{break-after:avoid}
  figure,tr,.verdict{break-inside:avoid}
  pre{white-space:pre-wrap}
  .scroll{overflow:visible}
  *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;
