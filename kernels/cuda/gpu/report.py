"""The results of check.py, as a file and as a table."""

import json
import threading
import time


class Report:
    """The results so far, in a file and on the terminal."""

    def __init__(self, result, out):
        self.result, self.out, self.lock, self.begun = result, out, threading.Lock(), time.monotonic()

    def seconds(self):
        return round(time.monotonic() - self.begun, 1)

    def add(self, where, line):
        with self.lock:
            if "note" in line:
                self.result["notes"].append(line["note"])
                print(f"{self.seconds():6.1f} note: {line['note']}", flush=True)
            else:
                if "us" in line and self.result["limits"]:
                    seconds = line["us"]["tenon"] / 1e6
                    line["share"] = (line["flops"] / seconds / self.result["limits"]["matmul_bf16_flops_per_second"]
                                     if line["flops"] else
                                     line["bytes"] / seconds / self.result["limits"]["copy_bytes_per_second"])
                self.result[where].append(line)
                what = (f"FAILED: {line['error']}" if line.get("passed") is False else
                        f"{line['us']['tenon']:.1f} us" if "us" in line else line.get("not_timed", "passed"))
                print(f"{self.seconds():6.1f} {line['family']}: {line['case']}: {what}", flush=True)
            self.save()

    def save(self):
        self.result["seconds"] = self.seconds()
        if self.out:
            for path, text in ((self.out, json.dumps(self.result, indent=1)), (self.out.with_suffix(".md"),
                                                                               table(self.result))):
                new = path.with_name(path.name + ".new")
                new.write_text(text + "\n")
                new.replace(path)


def table(result):
    """The results as Markdown, one row for each timed case."""
    lines = []
    limits_ = result["limits"]
    if "gpu" in result:
        lines.append(f"{result['gpu']}, driver {result['driver']}, commit {result['commit']}, {result['date']}")
    if limits_:
        lines[-1] += (f": copy {limits_['copy_bytes_per_second'] / 1e12:.2f} TB/s, bf16 products "
                      f"{limits_['matmul_bf16_flops_per_second'] / 1e12:.0f} TFLOP/s")
    passed = sum(c["passed"] for c in result["checks"])
    lines += ["", f"{passed} of {len(result['checks'])} checks passed."]
    lines += [f"- FAILED {c['family']}: {c['case']}: {c['error'].splitlines()[0]}"
              for c in result["checks"] if not c["passed"]]
    lines += ["", "| family | case | us | of the limit | wanted | PyTorch's time / Tenon's |"]
    lines += ["|---|---|---|---|---|---|"]
    for r in result["times"]:
        if "us" not in r:
            why = r.get("not_timed") or r["error"].splitlines()[0]
            lines.append(f"| {r['family']} | {r['case']} | {why} | | | |")
            continue
        us = dict(r["us"])
        tenon = us.pop("tenon")
        peers = ", ".join(f"{n} {t / tenon:.2f}" for n, t in us.items())
        peers += "".join(f", {n} failed" for n in r["peer_failed"])
        share = f"{r['share']:.0%}" if "share" in r else "?"
        share += " (data within reach of L2)" if r["in_l2"] else ""
        lines.append(f"| {r['family']} | {r['case']} | {tenon:.1f} | {share} | {r['share_wanted']:.0%} | {peers} |")
    return "\n".join(lines)
