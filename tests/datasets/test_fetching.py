"""Fetching from a server that behaves like an owner's, on loopback."""

import hashlib

import numpy as np
import pytest
from owner_server import Owner

from brainscore_granularity import download
from brainscore_granularity.cli import main as cli
from brainscore_granularity.datasets import nsd_bucket, orders
from brainscore_granularity.datasets.pinned import Pinned

SUBJECT = 4  # of 30 sessions
SESSION = "nsddata_betas/ppdata/subj04/func1pt8mm/betas_fithrf_GLMdenoise_RR/betas_session{:02d}.{}"
STIMULI = "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5"
KEPT = 100_000 // download.CHUNK * download.CHUNK  # of the first half of the stimuli
DESIGN = "nsddata/experiments/nsd/nsd_expdesign.mat"


def keys():
    roi = "nsddata/ppdata/subj04/func1pt8mm/roi"
    masks = [f"{roi}/{name}.nii.gz" for name in ("prf-visualrois", "lh.streams", "rh.streams", "floc-faces")]
    betas = [SESSION.format(session, "hdf5") for session in range(1, 31)]
    unused = [SESSION.format(1, "nii.gz"), betas[0].replace("subj04", "subj01"), f"{roi}/Kastner2015.nii.gz"]
    ncsnr = betas[0].replace("betas_session01.hdf5", "ncsnr.nii.gz")
    return [DESIGN, STIMULI, *masks, ncsnr, *betas, f"{roi}/floc-places.nii.gz"], unused


@pytest.fixture
def bucket(monkeypatch):
    rng, (needed, unused) = np.random.default_rng(0), keys()
    owner = Owner({key: rng.bytes(200_000 if key == STIMULI else 500) for key in [*needed, *unused]}, parts=[STIMULI])
    monkeypatch.setattr(nsd_bucket, "BUCKET", owner.url)
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 0.3)
    yield owner
    owner.close()


def fetch(to, *more):
    cli.main(["data", "fetch", "nsd", "--to", str(to), "--subjects", str(SUBJECT), *more])


ACCEPTED = ("--accept-terms", nsd_bucket.ACCEPT)


@pytest.mark.slow
def test_only_the_files_that_prepare_needs_are_fetched_once(bucket, tmp_path, capsys):
    needed, unused = keys()
    fetch(tmp_path, *ACCEPTED)
    here = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert here == set(needed) and not here & set(unused)
    assert all((tmp_path / key).read_bytes() == bucket.content[key] for key in needed)
    said = capsys.readouterr()
    assert f"{len(needed)} of {len(needed)} files are missing, 0.00 GB left, about 1 min at 10 MB/s" in said.err
    assert f"granularity data prepare nsd --from {tmp_path}" in said.out
    asked = len(bucket.asked)
    fetch(tmp_path, *ACCEPTED)
    assert len(bucket.asked) == asked and f"0 of {len(needed)} files are missing" in capsys.readouterr().err


@pytest.mark.slow
def test_what_is_fetched_is_what_prepare_reads(tmp_path, bucket, monkeypatch):
    """The owner's formats, two sessions a subject."""
    import fake_nsd

    from brainscore_granularity.datasets.prepare.nsd import files, plan

    for module in (files, plan, nsd_bucket):
        monkeypatch.setattr(module, "SESSIONS", (2,) * 8)
    fake_nsd.write(tmp_path / "owner")
    bucket.content = {path.relative_to(tmp_path / "owner").as_posix(): path.read_bytes()
                      for path in (tmp_path / "owner").rglob("*") if path.is_file()}  # fmt: skip
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 20)
    regions = ("V1", "IT")
    cli.main(["data", "fetch", "nsd", "--to", str(tmp_path / "here"), "--subjects", "1", "2", "--regions", *regions,
              *ACCEPTED])  # fmt: skip
    from_owner, from_here = (plan.make_plan(tmp_path / where, (1, 2), regions, 2, 60, 0) for where in ("owner", "here"))
    assert list(from_here.test) == list(from_owner.test) and from_here.regions == from_owner.regions
    assert [list(part.sessions) for part in from_here.parts] == [[1, 2], [1, 2]]


@pytest.mark.slow
def test_some_regions_need_some_maps(bucket, tmp_path):
    fetch(tmp_path, "--regions", "V1", *ACCEPTED)
    assert {path.name for path in tmp_path.rglob("roi/*")} == {"prf-visualrois.nii.gz"}


def test_nothing_is_fetched_without_the_words_or_in_a_dry_run(bucket, tmp_path, capsys):
    for words in ((), ("--accept-terms", "yes")):
        with pytest.raises(SystemExit):
            fetch(tmp_path / "to", *words)
        assert nsd_bucket.ACCEPT in capsys.readouterr().err
    fetch(tmp_path / "to", "--dry-run")
    said = capsys.readouterr()
    assert f"{STIMULI}  0.2 MB" in said.out and "naturalscenesdataset.org" in said.err
    assert not bucket.asked and not (tmp_path / "to").exists()


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["stall", "cut"])
def test_a_broken_connection_is_taken_up_where_it_broke(bucket, tmp_path, fault):
    bucket.faults[STIMULI] = fault
    fetch(tmp_path, *ACCEPTED)
    assert (tmp_path / STIMULI).read_bytes() == bucket.content[STIMULI]
    assert [part for key, part in bucket.asked if key == STIMULI] == [None, f"bytes={KEPT}-"]


@pytest.mark.slow
def test_a_command_that_was_stopped_goes_on_where_it_stopped(bucket, tmp_path, monkeypatch, capsys):
    bucket.faults[STIMULI] = "cut"
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    with pytest.raises(SystemExit):
        fetch(tmp_path, *ACCEPTED)
    assert f"{KEPT} bytes are kept for the next time" in capsys.readouterr().err
    assert not (tmp_path / STIMULI).exists()
    fetch(tmp_path, *ACCEPTED)
    assert bucket.asked.count((DESIGN, None)) == 1
    assert (STIMULI, f"bytes={KEPT}-") in bucket.asked
    assert (tmp_path / STIMULI).read_bytes() == bucket.content[STIMULI]
    assert not list(tmp_path.rglob("*.part"))


def test_a_part_that_is_complete_is_checked_and_kept_or_not(bucket, tmp_path):
    """As a process that was killed before the last step leaves it, where nobody said the size."""
    url, to, content = f"{bucket.url}/{DESIGN}", tmp_path / "design", bucket.content[DESIGN]
    for left, arrives in ((content, True), (content[::-1], False)):
        checksum = "sha256", hashlib.sha256(content).hexdigest()
        download.part_of(to, None, checksum).write_bytes(left)
        if arrives:
            download.fetch_large(url, to, None, checksum, "Advice.")
            assert to.read_bytes() == content
            to.unlink()
        else:
            with pytest.raises(download.DataMissing, match=r"expected sha256 .*; nothing was kept. Advice."):
                download.fetch_large(url, to, None, checksum, "Advice.")
            assert not list(tmp_path.iterdir())


def test_a_file_that_the_owner_changed_is_not_joined_to_a_part_of_the_old_one(bucket, tmp_path, monkeypatch):
    bucket.faults[DESIGN] = "cut"
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    with pytest.raises(SystemExit):
        fetch(tmp_path, *ACCEPTED)
    bucket.content[DESIGN] = bucket.content[DESIGN][::-1]
    fetch(tmp_path, *ACCEPTED)
    assert (tmp_path / DESIGN).read_bytes() == bucket.content[DESIGN]


def test_a_server_without_ranges_sends_the_whole_file_again(bucket, tmp_path):
    bucket.faults[STIMULI], bucket.ranges = "cut", False
    fetch(tmp_path, *ACCEPTED)
    assert (tmp_path / STIMULI).read_bytes() == bucket.content[STIMULI]


def test_wrong_bytes_are_not_kept(bucket, tmp_path, capsys):
    bucket.faults[DESIGN] = "wrong"
    with pytest.raises(SystemExit):
        fetch(tmp_path, *ACCEPTED)
    wanted = hashlib.md5(bucket.content[DESIGN]).hexdigest()
    assert f"expected md5 {wanted}" in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.rglob("*design*"))


def test_what_is_forbidden_or_gone_says_so_with_the_terms(bucket, tmp_path, capsys):
    bucket.faults[DESIGN] = "forbidden"
    with pytest.raises(SystemExit):
        fetch(tmp_path, *ACCEPTED)
    assert "the server says 403" in (said := capsys.readouterr().err) and "naturalscenesdataset.org" in said
    del bucket.content[SESSION.format(30, "hdf5")]
    with pytest.raises(SystemExit):
        fetch(tmp_path, *ACCEPTED)
    assert "betas_session30.hdf5; has the layout of the data changed?" in " ".join(capsys.readouterr().err.split())


def test_too_small_a_disk_is_said_before_anything_is_fetched(bucket, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(orders.shutil, "disk_usage", lambda folder: type("", (), {"free": 1000}))
    with pytest.raises(SystemExit):
        fetch(tmp_path, *ACCEPTED)
    assert "GB are free" in capsys.readouterr().err and not bucket.asked


@pytest.fixture
def small(bucket, tmp_path, monkeypatch):
    """A data set of a public repository: two files."""
    sums = {name: hashlib.sha256(bucket.content[name]).hexdigest() for name in (DESIGN, STIMULI)}
    files = {f"a/{name.rpartition('/')[2]}": (f"{bucket.url}/{name}", sha) for name, sha in sums.items()}
    monkeypatch.setenv("BRAINSCORE_GRANULARITY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("A_FOLDER", raising=False)
    made = Pinned("Small2020", "small", "A_FOLDER", "example.org", "Cite Small 2020.", "1 MB", files)
    monkeypatch.setattr(orders, "pinned_sets", lambda: {"cichy2014": made})
    return made


def test_data_without_an_agreement_are_fetched_to_where_they_are_looked_for(small, bucket, tmp_path, capsys):
    cli.main(["data", "fetch", "cichy2014"])
    said = capsys.readouterr()
    assert "Small2020: 2 of 2 files are missing (all: 1 MB)" in said.err and "Cite Small 2020" in said.err
    assert small.state() == "ready"
    (small.root() / "a" / "nsd_expdesign.mat").write_bytes(b"damaged")
    cli.main(["data", "fetch", "cichy2014"])
    assert "1 of 2 files are missing" in capsys.readouterr().err
    assert small.path("a/nsd_expdesign.mat").read_bytes() == bucket.content[DESIGN]
    with pytest.raises(SystemExit):
        cli.main(["data", "fetch", "cichy2014", *ACCEPTED])
    assert "are for NSD" in capsys.readouterr().err


def test_a_folder_that_the_user_named_is_never_written_to(small, bucket, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("A_FOLDER", str(tmp_path / "own"))
    with pytest.raises(SystemExit):
        cli.main(["data", "fetch", "cichy2014"])
    assert "A_FOLDER is" in capsys.readouterr().err and not (tmp_path / "own").exists() and not bucket.asked


def test_synthetic_needs_a_design_stimuli_maps_and_one_session_a_subject():
    needed = nsd_bucket._synthetic(nsd_bucket.Path(), [1, 2])
    assert len(needed) == 2 + 2 * 2
    assert [[path.name for path in paths] for paths in needed[-1]] == [
        ["betas_nsdsynthetic.hdf5"], ["betas_nsdsynthetic.nii.gz"],
    ]  # fmt: skip
