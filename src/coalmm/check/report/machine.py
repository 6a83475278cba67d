"""The report for programs: JSON, JUnit XML, TAP."""

import json
import xml.etree.ElementTree as Xml
from dataclasses import asdict

from coalmm.check.result import FAIL, NOTE, PASS, SKIP, WARN, Report, Result


def as_json(report: Report) -> str:
    """Everything."""
    data = asdict(report) | {"present": sorted(report.present), "absent": sorted(report.absent)}
    return json.dumps(data | {"failed": report.failed}, indent=1)


def as_junit(report: Report) -> bytes:
    """A test suite for each function; warnings and notes are passed cases with a text."""
    root = Xml.Element("testsuites", name=f"coalmm check {report.target}")
    suites: dict[str, Xml.Element] = {}
    for result in report.results:
        if result.group not in suites:
            suites[result.group] = Xml.SubElement(root, "testsuite", name=result.group)
        add_case(suites[result.group], result)
    for suite in [*suites.values(), root]:
        cases = list(suite.iter("testcase"))
        suite.set("tests", str(len(cases)))
        suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
        suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
        suite.set("errors", "0")
    Xml.indent(root)
    text: bytes = Xml.tostring(root, "utf-8", xml_declaration=True)
    return text + b"\n"


def add_case(suite: Xml.Element, result: Result) -> None:
    """A result as a test case."""
    case = Xml.SubElement(suite, "testcase", classname=f"coalmm.{result.group}", name=result.check,
                          time=f"{result.seconds:.3f}")  # fmt: skip
    if result.status == FAIL:
        failure = Xml.SubElement(case, "failure", message=plain(result.message), type=result.kind)
        failure.text = plain(f"{result.title}\n{result.sentence}\n{result.command}\n\n{result.reproducer}")
    elif result.status == SKIP:
        Xml.SubElement(case, "skipped", message=plain(result.message))
    elif result.status in (WARN, NOTE):
        Xml.SubElement(case, "system-out").text = plain(f"{result.status}: {result.message}")


def plain(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(char for char in text if char in "\n\t" or char >= " ")


def as_tap(report: Report) -> str:
    """TAP version 13. Warnings and notes are `not ok ... # TODO`, which harnesses do not count as failures."""
    lines = ["TAP version 13", f"1..{len(report.results)}"]
    for number, result in enumerate(report.results, 1):
        word = "ok" if result.status in (PASS, SKIP) else "not ok"
        why = {SKIP: f" # SKIP {result.message}", WARN: f" # TODO warning: {result.message}",
               NOTE: f" # TODO note: {result.message}"}.get(result.status, "")  # fmt: skip
        lines.append(f"{word} {number} - {result.check}{why}".replace("\n", " "))
        if result.status == FAIL:
            lines += ["  ---", f"  message: {json.dumps(result.message)}", f"  sentence: {json.dumps(result.sentence)}"]
            lines += ["  reproducer: |", *(f"    {line}" for line in result.reproducer.splitlines()), "  ..."]
    return "\n".join(lines) + "\n"
