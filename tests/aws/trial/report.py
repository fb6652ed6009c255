"""The report of the trial: steps with their times, the facts that they prove, and what could not be deleted.

It is written again after each step, so that a run that is killed leaves what it had found.
"""

import datetime
import pathlib


class Report:
    """Account ids, the base domain and the external id are replaced, so that the file can be published."""

    def __init__(self, path, world, secrets):
        self.path = pathlib.Path(path)
        self._replaced = [(world.networking.id, "111111111111"), (world.consumer.id, "222222222222"),
                          (world.base.name, "example.com"), (world.base.id, "Z0BASE"), *((one, "REDACTED") for one in secrets)]
        self._head, self._steps, self._facts, self._left, self.failures = [], [], [], None, []
        self._began = datetime.datetime.now(datetime.timezone.utc)
        self.line(f"Region {world.region}, begun {self._began:%Y-%m-%d %H:%M} UTC")

    def line(self, text):
        self._head.append(text)

    def step(self, name, seconds, text):
        self._steps.append((name, seconds, text))
        self.write()

    def fact(self, question, answer, evidence=()):
        """An open question about AWS, the result, and the words or figures that prove it."""
        self._facts.append((question, answer, list(evidence)))
        self.write()

    def failed(self, name, seconds, sentence):
        self.failures.append(f"{name}: {sentence}")
        self.step(name, seconds, f"FAILED: {sentence}")

    def left(self, sentences):
        self._left = sentences
        self.write()

    def redacted(self, text):
        for found, shown in self._replaced:
            text = text.replace(found, shown)
        return text

    def write(self):
        lines = ["# A trial in two AWS accounts", "",
                 "Written by `cargo xtask aws`. Account ids, the base domain and secrets are replaced.", ""]
        lines += [f"- {one}" for one in self._head]
        lines += ["", "## Steps", "", "| step | seconds | result |", "| --- | --- | --- |"]
        lines += [f"| {name} | {seconds:.0f} | {_cell(text)} |" for name, seconds, text in self._steps]
        lines += ["", "## Facts", ""]
        for question, answer, evidence in self._facts:
            lines += [f"### {question}", "", answer, ""]
            lines += ["```", *(str(one) for one in evidence), "```", ""] if evidence else []
        lines += ["## What is left", ""]
        if self._left is None:
            lines.append("The trial did not reach its end. `cargo xtask aws ... --clean-up` deletes what it created.")
        else:
            lines += [f"- {one}" for one in self._left] or ["Nothing."]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.redacted("\n".join(lines)) + "\n")


def _cell(text):
    return text.replace("|", "\\|").replace("\n", " ")
