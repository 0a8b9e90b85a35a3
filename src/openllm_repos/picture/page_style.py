"""The style of the page: calm, readable at 360 pixels, in light and in dark, with nothing from elsewhere."""

from __future__ import annotations

from openllm_repos.picture.look import DARK, LIGHT, MONO, SANS, Scheme


def page_style() -> str:
    """Return the style sheet of the page."""
    return f":root{{color-scheme:light dark;{_colours(LIGHT)}}}{_DARK.format(_colours(DARK))}{_RULES}"


def _colours(scheme: Scheme) -> str:
    plain = ("ground", "raised", "sunken", "edge", "ink", "faint", "accent", "line")
    colours = [f"--{name}:{getattr(scheme, name)}" for name in plain]
    colours += [f"--{tone}:{ink};--{tone}-ground:{ground}" for tone, (ink, ground) in scheme.tones.items()]
    return ";".join(colours)


_DARK = "@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}"  # paper is light

_RULES = f"""
*,*::before,*::after{{box-sizing:border-box}}
body{{margin:0;background:var(--ground);color:var(--ink);font:15px/1.55 {SANS};-webkit-text-size-adjust:100%;
overflow-wrap:anywhere}}
header,main,footer{{max-width:1280px;margin:0 auto;padding:0 24px}}
header{{padding-top:44px}}
h1{{font-size:30px;line-height:1.2;letter-spacing:-.01em;margin:0 0 10px}}
h2{{font-size:19px;line-height:1.3;margin:0 0 14px}}
h3{{font-size:16px;margin:0;display:flex;flex-wrap:wrap;gap:6px 12px;align-items:center}}
p{{margin:0 0 10px}}
section{{padding-top:44px}}
a{{color:var(--accent);text-underline-offset:3px;text-decoration-thickness:1px}}
time{{white-space:nowrap}}
a:hover{{text-decoration-thickness:2px}}
:focus-visible{{outline:3px solid var(--accent);outline-offset:3px;border-radius:4px}}
code{{font-family:{MONO};font-size:.88em}}
.skip{{position:absolute;left:16px;top:-80px;background:var(--raised);padding:10px 16px;border-radius:8px;z-index:2}}
.skip:focus{{top:12px}}
.hidden{{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}}
.faint{{color:var(--faint)}}
.verdict{{display:flex;gap:10px;font-size:19px;font-weight:600;line-height:1.35;margin:0 0 14px}}
.verdict svg{{width:22px;height:22px;flex:none;margin-top:2px}}
.verdict.good,.verdict.todo{{background:none}}
.badge svg,.verdict svg,.tick svg{{fill:none;stroke:currentColor;stroke-width:1.6;stroke-linecap:round;
stroke-linejoin:round}}
.counts{{display:flex;flex-wrap:wrap;gap:8px;list-style:none;margin:0 0 14px;padding:0}}
nav ul{{display:flex;flex-wrap:wrap;gap:4px 20px;list-style:none;margin:20px 0 0;padding:14px 0 0;
border-top:1px solid var(--edge)}}
.badge{{display:inline-flex;align-items:baseline;gap:6px;padding:0 10px 0 7px;border:1px solid transparent;
border-radius:99px;font-size:13px;font-weight:600;line-height:22px;white-space:nowrap}}
.badge.long{{white-space:normal}}
.badge svg{{width:14px;height:14px;flex:none;align-self:center}}
.tick{{color:var(--good)}}
.tick svg{{width:15px;height:15px;vertical-align:-2px;margin-right:3px}}
.good{{color:var(--good);background:var(--good-ground)}}
.todo{{color:var(--todo);background:var(--todo-ground)}}
.bad{{color:var(--bad);background:var(--bad-ground)}}
.scroll{{overflow-x:auto;border:1px solid var(--edge);border-radius:12px;background:var(--raised);
position:relative}}
.scroll+p{{margin-top:12px}}
figure{{margin:0}}
figure .scroll{{border:0;background:none}}
figure .scroll svg{{display:block;max-width:100%;min-width:620px;height:auto;margin:0 auto}}
figcaption{{margin-top:12px;font-size:13px;color:var(--faint)}}
table{{border-collapse:separate;border-spacing:0;width:100%;font-size:14px}}
caption{{text-align:left;padding:12px 14px;color:var(--faint);font-size:13px}}
caption span{{display:inline-block;position:sticky;left:14px;max-width:calc(100vw - 62px)}}
th,td{{text-align:left;vertical-align:baseline;padding:8px 14px;border-top:1px solid var(--edge);
overflow-wrap:break-word}}
thead th{{font-weight:600;font-size:13px;color:var(--faint);vertical-align:bottom}}
tbody th{{font-weight:600;white-space:nowrap}}
td.wide{{min-width:150px}}
.long{{min-width:96px;overflow-wrap:anywhere}}
tbody th.long{{min-width:140px;white-space:normal}}
td .faint{{font-size:13px}}
.meanings{{margin:12px 0;font-size:13px;color:var(--faint);display:grid;gap:3px}}
.meanings div{{display:grid;grid-template-columns:92px minmax(0,1fr)}}
.meanings dt{{font-weight:600}}
.meanings dd{{margin:0}}
.todos{{list-style:none;margin:0;padding:0 20px;background:var(--raised);border:1px solid var(--edge);
border-radius:12px}}
.todos li{{padding:13px 0}}
.todos li+li{{border-top:1px solid var(--edge)}}
.todos p{{margin:0}}
.todos p+p{{margin-top:6px}}
@media screen and (min-width:960px){{.todos li{{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);
gap:4px 28px;align-items:baseline}}.todos p+p{{margin:0}}}}
.cards{{display:grid;grid-template-columns:minmax(0,1fr);gap:14px;list-style:none;margin:0;padding:0}}
.card{{background:var(--raised);border:1px solid var(--edge);border-radius:12px;padding:16px 20px}}
.card p:last-child{{margin-bottom:0}}
.card>p{{margin-top:8px}}
b{{font-weight:600}}
.next>*{{margin-right:10px}}
code,b{{unicode-bidi:isolate}}
.files code{{white-space:pre-wrap}}
.next code{{background:var(--sunken);border:1px solid var(--edge);border-radius:6px;padding:2px 9px;margin-bottom:3px;
display:inline-block;line-height:1.5;user-select:all}}
details{{border-top:1px solid var(--edge);margin-top:12px;padding-top:10px}}
summary{{cursor:pointer;font-weight:600;font-size:14px}}
.files{{list-style:none;margin:10px 0 4px;padding:0;display:grid;grid-template-columns:minmax(0,1fr);
gap:5px;font-size:14px}}
.files li{{display:grid;grid-template-columns:minmax(72px,max-content) minmax(0,1fr);gap:2px 12px}}
.files .word{{color:var(--faint)}}
footer{{padding-top:52px;padding-bottom:52px;font-size:13px;color:var(--faint)}}
@media (max-width:720px){{figure .scroll svg{{max-width:none}}}}
@media screen and (max-width:1079px){{table,tbody,tbody tr,tbody th,td{{display:block}}
thead{{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}}
tbody tr{{border-top:1px solid var(--edge);padding:10px 0}}
tbody th,tbody th.long,td,td.wide,td.long{{border:0;white-space:normal;min-width:0;padding:2px 14px;
overflow-wrap:anywhere}}
td,td.wide,td.long{{display:flow-root;padding-left:132px}}
td::before{{content:attr(data-label);float:left;width:106px;margin-left:-118px;color:var(--faint);font-size:13px}}
td:empty{{display:none}}
caption{{display:block}}caption span{{position:static}}}}
@media (max-width:560px){{header,main,footer{{padding-left:16px;padding-right:16px}}
header{{padding-top:28px}}
h1{{font-size:25px}}section{{padding-top:34px}}.card{{padding:14px 16px}}
.todos{{padding:0 16px}}
.files li{{grid-template-columns:minmax(0,1fr)}}}}
@media (prefers-reduced-motion:no-preference){{html{{scroll-behavior:smooth}}}}
@media (forced-colors:active){{.badge{{border-color:CanvasText}}}}
@media print{{:root{{color-scheme:light}}.skip,nav{{display:none}}body{{font-size:11.5px;background:none}}
header,main,footer{{max-width:none;padding-left:0;padding-right:0}}section{{padding-top:22px}}
.scroll{{overflow:visible;border:0;border-radius:0}}figure .scroll svg{{max-width:100%;min-width:0}}
table{{font-size:10.5px}}th,td{{white-space:normal;overflow-wrap:break-word;padding:4px 8px}}
td.wide,.long,tbody th.long{{min-width:0}}tbody th{{white-space:nowrap}}
tbody th.long{{white-space:normal;overflow-wrap:anywhere}}
caption span{{position:static}}thead th,td .faint,.badge{{font-size:10px}}
.badge{{line-height:16px;border-color:currentColor}}
h2,h3{{break-after:avoid}}tr,.todos li,.files li,figure{{break-inside:avoid}}
details::details-content{{content-visibility:visible;display:block;block-size:auto}}}}
"""
