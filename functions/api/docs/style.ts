// The style of the reference: readable, in both colour schemes, with nothing from elsewhere.

export const style = `
:root { color-scheme: light dark; --line: #8884; --mark: #8882; --accent: #06c; }
@media (prefers-color-scheme: dark) { :root { --accent: #6bf; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.8rem; } h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
h3 { font-size: 1.05rem; margin-top: 2.2rem; } h4 { font-size: .95rem; margin: 1rem 0 .3rem; }
a { color: var(--accent); } code { font: .92em ui-monospace, monospace; overflow-wrap: anywhere; }
.method { display: inline-block; min-width: 4.2rem; font-weight: 700; }
.optional { font-weight: 400; opacity: .75; font-size: .85em; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); }
nav ul { columns: 2; padding: 0; list-style: none; } nav li { break-inside: avoid; margin-bottom: .2rem; }
@media (max-width: 40rem) { nav ul { columns: 1; } }
:target { background: var(--mark); }
`;
