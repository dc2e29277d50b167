"""Runs in the temporary environment: loads the submitted model on the CPU, shows it images, saves its responses."""

import importlib.util
import json
import resource
import sys
import time

import numpy as np


def main(job_file):
    with open(job_file) as file:
        job = json.load(file)
    if importlib.util.find_spec("brainscore_granularity"):
        raise SystemExit("brainscore_granularity can be imported here, so the check would prove nothing")
    from brainscore_core.supported_data_standards.brainio.stimuli import StimulusSet
    from brainscore_vision import load_model

    start = time.perf_counter()
    model = load_model(job["identifier"])
    loaded = time.perf_counter()
    stimuli = StimulusSet({"stimulus_id": job["ids"]})
    stimuli.stimulus_paths, stimuli.identifier = dict(zip(job["ids"], job["paths"])), "submitted"  # noqa: B905
    model.start_recording(job["region"], time_bins=[(70, 170)])
    answers = model.look_at(stimuli).squeeze(drop=True).transpose("presentation", "neuroid")
    row = {stimulus: i for i, stimulus in enumerate(answers["stimulus_id"].values)}
    np.save(job["features"], answers.values[[row[stimulus] for stimulus in job["ids"]]])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    degrees = model.visual_degrees()
    print(
        json.dumps({"load": loaded - start, "look": time.perf_counter() - loaded, "memory": memory, "degrees": degrees})
    )


if __name__ == "__main__":
    main(sys.argv[1])
