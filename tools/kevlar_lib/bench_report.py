# SPDX-License-Identifier: MIT
"""What `tools/kevlar bench` measured, as tables for the terminal and for docs/, and as a chart."""
import re
from xml.sax.saxutils import escape

from . import host

ORDER = ("instructions", "wall")
COMMAND = "make bench"


def ratio(row):
    return row["kevlar"] / row["linux"] if row and row.get("linux") and "kevlar" in row else None


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def merged(result):
    """[(name, instructions row, wall row)] in the order of the program."""
    names = list(dict.fromkeys([*result["instructions"], *result["wall"]]))
    return [(name, result["instructions"].get(name, {}), result["wall"].get(name, {})) for name in names]


def table_lines(result, rows):
    """Head and cells; without the columns of what was not measured."""
    lines = [HEADS] + [tuple(cells(entry)) for entry in rows]
    return lines if result["wall"] else [line[:4] for line in lines]


def cells(entry):
    name, *tables = entry
    fields = [name]
    for row in tables:
        factor = ratio(row)
        fields += [number(row.get("linux")), number(row.get("kevlar")), f"{factor:.2f}" if factor else "-"]
    return fields


HEADS = ("row", "Linux", "Kevlar", "ratio", "Linux ns", "Kevlar ns", "ratio")


def aligned(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))) for line in lines)


def markdown(lines):
    head, *body = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([head, "|---" + "|---:" * (len(lines[0]) - 1) + "|", *body])


def scaling_lines(result):
    lines = [("row", "one CPU", "four CPUs", "ratio")]
    for name, row in result["scaling"].items():
        one, four = row.get("cpus_1"), row.get("cpus_4")
        lines.append((name, number(one), number(four), f"{four / one:.2f}" if one and four else "-"))
    return lines


def boot_lines(result):
    lines = [("boot", "Linux", "Kevlar", "ratio")]
    for name, row in result["boot"].items():
        factor = ratio(row)
        lines.append((name, number(row.get("linux")), number(row.get("kevlar")), f"{factor:.3f}" if factor else "-"))
    return lines


def conditions(result):
    return (f"{result['date']}: Kevlar {result['kevlar']} against Linux {result['linux']}, QEMU {result['qemu']} "
            f"({result['accelerator']}), `{COMMAND}`")


def means(result):
    mean = result["geometric_mean"]
    return "; ".join(f"{table} {mean[table]}" for table in ORDER if mean[table])


def missing(result):
    lines = []
    for kind in ("absent", "failed"):
        for name, who in result[kind].items():
            for system, what in who.items():
                lines.append(f"{kind} on {system}: {name} ({what.splitlines()[-1] if what else ''})")
    return lines


def text(result, by_ratio):
    rows = merged(result)
    if by_ratio:
        rows.sort(key=lambda entry: ratio(entry[1]) or ratio(entry[2]) or 0, reverse=True)
    parts = [conditions(result), aligned(table_lines(result, rows))]
    if result["scaling"]:
        parts.append("Kevlar's instructions for an operation on one and on four CPUs\n" + aligned(scaling_lines(result)))
    if result["boot"]:
        parts.append(aligned(boot_lines(result)))
    parts += ["\n".join(missing(result)), f"geometric mean of the ratios: {means(result)}"]
    return "\n\n".join(part for part in parts if part)


# ---- documents --------------------------------------------------------------------------------------

SUMMARY = ("getpid", "read_null", "stat", "open_close", "pipe", "pipe_pingpong", "mmap_fault", "fork_exit",
           "exec_true", "pthread_create", "futex_pingpong", "epoll_wait", "tar_extract")


def replace_part(path, body):
    """Puts body between the markers of a document."""
    begin, end = "<!-- bench: begin, written by tools/kevlar bench --update -->", "<!-- bench: end -->"
    old = path.read_text()
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(old):
        raise host.Failure(f"{path}: no line {begin}")
    path.write_text(pattern.sub(lambda _: f"{begin}\n{body}\n{end}", old))


def write_documents(result):
    rows = merged(result)
    head = f"{conditions(result)}. Geometric mean of the ratios: {means(result)}."
    table = markdown(table_lines(result, rows))
    parts = [head, table]
    if result["scaling"]:
        parts += ["Kevlar's instructions for an operation done by one task, and by four at once on four CPUs:",
                  markdown(scaling_lines(result))]
    if result["boot"]:
        parts.append(markdown(boot_lines(result)))
    if missing(result):
        parts.append("\n".join(f"- {line}" for line in missing(result)))
    replace_part(host.ROOT / "docs/performance.md", "\n\n".join(parts))
    short = table_lines(result, [entry for entry in rows if entry[0] in SUMMARY])
    replace_part(host.ROOT / "README.md", "\n\n".join(
        [head, markdown(short), *([markdown(boot_lines(result))] if result["boot"] else [])]))
    (host.ROOT / "docs/bench.svg").write_text(chart(result))


def chart(result):
    """A bar a row: Kevlar's instructions as a part of Linux's, whose measure is the line at 1."""
    rows = [(name, ratio(row)) for name, row, _ in merged(result) if ratio(row)]
    rows.sort(key=lambda entry: entry[1])
    step, left, scale, top = 15, 170, 420, 44
    width, height = left + int(scale * 1.35), top + step * len(rows) + 12
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
           'font-size="10">', f'<rect width="{width}" height="{height}" fill="#fff"/>',
           '<text x="8" y="18" font-size="13">Instructions of an operation: Kevlar as a part of Linux</text>',
           f'<text x="8" y="33" fill="#555">{escape(conditions(result).replace("`", ""))}</text>']
    for i, (name, factor) in enumerate(rows):
        y = top + i * step
        color = "#2a7f62" if factor <= 0.6 else "#7a9e3f" if factor <= 1 else "#c0392b"
        length = min(factor, 1.25) * scale
        out.append(f'<text x="{left - 6}" y="{y + 10}" text-anchor="end">{escape(name)}</text>'
                   f'<rect x="{left}" y="{y + 1}" width="{length:.1f}" height="{step - 4}" fill="{color}"/>'
                   f'<text x="{left + length + 4:.1f}" y="{y + 10}" fill="#555">{factor:.2f}</text>')
    out.append(f'<line x1="{left + scale}" x2="{left + scale}" y1="{top - 4}" y2="{height - 8}" stroke="#333"/>')
    return "\n".join(out + ["</svg>"]) + "\n"
