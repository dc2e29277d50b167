"""Means over repeated presentations, from trials that arrive a few at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .reliability import split_half


@dataclass
class Repeats:
    """Responses to some stimuli, summed separately for odd and even presentations.

    stimuli : (stimuli,) unique integer ids, in the order of the means. neuroids : number of them.
    """

    stimuli: np.ndarray
    neuroids: int
    counts: np.ndarray = field(init=False)
    """(stimuli,) number of presentations so far."""

    def __post_init__(self):
        self.counts = np.zeros(len(self.stimuli), int)
        self._row = {int(stimulus): row for row, stimulus in enumerate(self.stimuli)}
        self._sums = np.zeros((2, len(self.stimuli), self.neuroids), np.float32)
        self._squares = np.zeros(self.neuroids)
        self._total = np.zeros(self.neuroids)

    def add(self, stimuli: np.ndarray, responses: np.ndarray) -> None:
        """Add trials in the order of time: ids (trials,), responses (trials, neuroids); other stimuli are ignored."""
        for stimulus, response in zip(stimuli, responses, strict=True):
            row = self._row.get(int(stimulus))
            if row is not None:
                self._sums[self.counts[row] % 2, row] += response
                self.counts[row] += 1
                self._squares += np.square(response, dtype=np.float64)
                self._total += response

    def mean(self) -> np.ndarray:
        """Mean responses (stimuli, neuroids) float32; raises if a stimulus was never shown."""
        never = np.flatnonzero(self.counts == 0)
        if len(never):
            raise ValueError(f"{len(never)} stimuli were never shown, such as {self.stimuli[never[0]]}")
        return self._sums.sum(axis=0) / self.counts[:, None].astype(np.float32)

    def reliability(self) -> np.ndarray:
        """Split-half reliability (neuroids,), from the stimuli that were shown at least twice."""
        twice = self.counts >= 2
        halves = ((self.counts[twice] + 1) // 2, self.counts[twice] // 2)
        odd, even = (sums[twice] / count[:, None] for sums, count in zip(self._sums, halves, strict=True))
        return split_half(odd, even)

    def ncsnr(self) -> np.ndarray:
        """Signal-to-noise ratio (neuroids,) of single presentations; see ``reliability``."""
        n = self.counts.sum()
        variance = (self._squares - self._total**2 / n) / (n - 1)
        # Sum of squares within stimuli, pooled over those shown at least twice, each variance counted by its
        # degrees of freedom; equal to the mean variance if all are shown equally often.
        means = self._sums.sum(axis=0, dtype=np.float64) / np.maximum(self.counts, 1)[:, None]
        within = self._squares - (means**2 * self.counts[:, None]).sum(axis=0)
        noise = within / (n - len(self.stimuli))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(np.maximum(variance - noise, 0) / noise)
