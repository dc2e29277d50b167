import io
import json
import os
import re
import signal
import subprocess
import time

import numpy as np
import pytest
import torch
from brainscore_granularity.training.data import pack, sources
from PIL import Image
from torchvision.transforms import functional as tv

RNG = np.random.default_rng(0)


def picture(width, height, mode="RGB"):
    """A smooth picture with a gradient in every channel."""
    y, x = np.mgrid[:height, :width]
    channels = [x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height), 255 - x * 255 // width]
    return Image.fromarray(np.stack(channels, -1).astype(np.uint8)[..., :3]).convert(mode)


def encoded(image, kind="JPEG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def folder_of(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def many(n, size=(20, 16)):
    noise = RNG.integers(0, 256, (min(n, 1500), *size[::-1], 3), dtype=np.uint8)
    different = [encoded(Image.fromarray(image)) for image in noise]
    return {f"class{i % 3}/{i:05}.jpg": different[i % 1500] for i in range(n)}


def content(folder):
    """Every file of a pack but the lock."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """1,500 small images in three classes: six blocks."""
    return sources.find(folder_of(tmp_path_factory.mktemp("noise"), many(1500)))


@pytest.fixture(scope="module")
def whole(noise, tmp_path_factory):
    """The same, packed in one go."""
    folder = tmp_path_factory.mktemp("whole")
    pack.pack(noise, folder, 16)
    return folder


# ------------------------------------------------------------------------------------------ what is in a pack

KINDS = {
    "rgb.jpg": encoded(picture(50, 40), quality=90),
    "grey.jpg": encoded(picture(50, 40, "L")),
    "cmyk.jpg": encoded(picture(40, 60, "CMYK")),
    "rgba.png": encoded(picture(33, 61, "RGBA"), "PNG"),
    "palette.png": encoded(picture(40, 41, "P"), "PNG"),
    "bilevel.png": encoded(picture(40, 41, "1"), "PNG"),
    "grey_alpha.png": encoded(picture(45, 33, "LA"), "PNG"),
    "square.webp": encoded(picture(24, 24), "WEBP"),
    "smaller.bmp": encoded(picture(7, 9), "BMP"),
    "first_frame.gif": encoded(picture(30, 30, "P"), "GIF"),
}


@pytest.mark.parametrize(("size", "resize"), [(24, None), (24, 32), (17, 30)])
def test_pixels_are_those_of_pil_and_torchvision(tmp_path, size, resize):
    files = {f"a/{name}": data for name, data in KINDS.items()}
    packed = pack.pack(sources.find(folder_of(tmp_path / "images", files)), tmp_path / "pack", size, resize=resize)
    assert packed.pixels.dtype == np.uint8 and packed.pixels.shape == (len(KINDS), size, size, 3)
    for name, pixels in zip(packed.names, packed.pixels, strict=True):
        image = Image.open(io.BytesIO(files[name])).convert("RGB")
        expected = tv.center_crop(tv.resize(image, resize or size, tv.InterpolationMode.BILINEAR), [size, size])
        assert np.array_equal(pixels, np.asarray(expected)), name


@pytest.mark.slow
def test_a_pack_says_what_is_in_it(noise, whole):
    packed = pack.load(whole)
    assert packed.names == noise.names and packed.classes == noise.classes and len(packed) == 1500
    assert np.array_equal(packed.labels, noise.labels) and packed.labels.dtype == np.int64
    assert packed.info == {"size": 16, "resize": 16, "images": 1500, "broken": 0, "source": noise.fingerprint}
    rows = RNG.permutation(1500)[:70]
    assert np.array_equal(packed.read(rows), packed.pixels[rows])
    with pytest.raises(ValueError, match="read-only"):
        packed.pixels[0] = 0


def test_the_number_of_workers_changes_nothing(noise, whole, tmp_path):
    progress = []
    pack.pack(noise, tmp_path, 16, workers=1, on_progress=lambda done, total: progress.append((done, total)))
    assert content(tmp_path) == content(whole)
    assert progress == [(min(1500, 256 * i), 1500) for i in range(1, 7)]


def test_fingerprint_sees_pixels_size_and_names(tmp_path):
    image = encoded(picture(32, 32), "PNG")
    other = encoded(picture(32, 32).transpose(Image.Transpose.ROTATE_90), "PNG")
    cases = [({"a/0.png": image}, 16), ({"a/0.png": image}, 32), ({"a/1.png": image}, 16), ({"a/0.png": other}, 16)]
    prints = set()
    for i, (files, size) in enumerate(cases):
        source = sources.find(folder_of(tmp_path / f"images{i}", files))
        prints.add(pack.pack(source, tmp_path / f"pack{i}", size).fingerprint)
    again = pack.pack(sources.find(tmp_path / "images0"), tmp_path / "again", 16)
    assert len(prints) == 4 and again.fingerprint in prints


# ---------------------------------------------------------------------------------------------- broken images

BROKEN = {
    "b/cut.jpg": (KINDS["rgb.jpg"][:-400], "truncated"),
    "b/empty.jpg": (b"", "empty file"),
    "a/text.jpg": (b"this is no picture\n", "not an image"),
    "a/deep.png": (encoded(Image.fromarray(np.full((30, 30), 40_000, np.uint16)), "PNG"), "more than 8 bits"),
    "c/cut.png": (KINDS["rgba.png"][: len(KINDS["rgba.png"]) // 2], "truncated"),
}


def with_broken(tmp_path, n=600):
    good = many(n)
    good = {name.replace("class0", "a").replace("class1", "b").replace("class2", "c"): v for name, v in good.items()}
    return good, folder_of(tmp_path / "images", good | {name: data for name, (data, _) in BROKEN.items()})


@pytest.mark.slow
def test_broken_images_are_fatal_or_left_out_but_always_listed(tmp_path):
    good, images = with_broken(tmp_path)
    source = sources.find(images)
    with pytest.raises(pack.PackError, match=r"cannot read .*broken.tsv. Fix the files, or .* broken='skip'"):
        pack.pack(source, tmp_path / "pack", 16)
    assert (tmp_path / "pack" / "broken.tsv").read_text()
    with pytest.raises(pack.PackError, match="incomplete"):
        pack.load(tmp_path / "pack")

    packed = pack.pack(source, tmp_path / "pack", 16, broken="skip")
    assert packed.names == tuple(sorted(good)) and packed.info["broken"] == len(BROKEN)
    listed = dict(line.split("\t") for line in (tmp_path / "pack" / "broken.tsv").read_text().splitlines())
    assert list(listed) == sorted(BROKEN)
    for name, (_, reason) in BROKEN.items():
        assert re.search(reason, listed[name], re.IGNORECASE)

    for name in BROKEN:  # without them from the start: the same images in the same places
        (images / name).unlink()
    clean = pack.pack(sources.find(images), tmp_path / "clean", 16)
    assert np.array_equal(clean.pixels, packed.pixels) and clean.fingerprint == packed.fingerprint
    assert pack.load(tmp_path / "pack").names == clean.names
    with pytest.raises(pack.PackError, match="leaves out 5 images that cannot be read"):
        pack.pack(source, tmp_path / "pack", 16)


def test_a_class_with_only_broken_images_is_an_error(tmp_path):
    files = many(30) | {"dead/0.jpg": b"", "dead/1.jpg": b"x"}
    source = sources.find(folder_of(tmp_path / "images", files))
    with pytest.raises(pack.PackError, match="1 classes have no image that can be read: dead; see .*broken.tsv"):
        pack.pack(source, tmp_path / "pack", 16, broken="skip")
    with pytest.raises(pack.PackError, match="incomplete"):
        pack.load(tmp_path / "pack")


def test_bytes_damaged_inside_a_zip_are_a_broken_image(tmp_path):
    import zipfile

    files = many(40)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        info = archive.getinfo("class1/00007.jpg")
    damaged = bytearray((tmp_path / "x.zip").read_bytes())
    damaged[info.header_offset + 30 + len(info.filename) + 200] ^= 1
    (tmp_path / "x.zip").write_bytes(damaged)
    packed = pack.pack(sources.find(tmp_path / "x.zip"), tmp_path / "pack", 16, broken="skip")
    assert len(packed) == 39
    assert (tmp_path / "pack" / "broken.tsv").read_text().startswith("class1/00007.jpg\tdamaged in the zip: Bad CRC-32")


def test_a_file_that_went_away_is_an_error_even_where_broken_images_are_skipped(tmp_path):
    source = sources.find(folder_of(tmp_path / "images", many(30)))
    (tmp_path / "images" / source.names[4]).unlink()
    with pytest.raises(FileNotFoundError, match=source.names[4]):
        pack.pack(source, tmp_path / "pack", 16, broken="skip")


# ------------------------------------------------------------------------------------------- kill and damage

RUN = """
import sys
from brainscore_granularity.training.data import pack, sources
pack.pack(sources.find(sys.argv[1]), sys.argv[2], 16, broken=sys.argv[3], workers=2)
"""


def children(pid):
    listed = subprocess.run(["ps", "--no-headers", "-o", "pid", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split()]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def finished_blocks(journal):
    lines = journal.read_text().splitlines() if journal.exists() else []
    return {tuple(json.loads(line)[:2]) for line in lines if line.endswith("]")}


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")
@pytest.mark.parametrize("broken", ["fatal", "skip"])
def test_killed_at_random_moments_and_resumed_the_pack_is_the_same_bytes(forked, tmp_path, broken):
    """Eight kills -9 of a real packing process: at any moment, or just after it has finished a new block."""
    files = many(6000, size=(90, 80))
    if broken == "skip":
        files |= {"class0/cut.jpg": files["class0/00000.jpg"][:-30], "class1/empty.jpg": b""}
    images = folder_of(tmp_path / "images", files)
    pack.pack(sources.find(images), tmp_path / "whole", 16, broken=broken)

    folder, journal = tmp_path / "pack", tmp_path / "pack" / "blocks.jsonl"
    killed, kept = 0, set()
    for attempt in range(8):
        process = forked.start(RUN, images, folder, broken)
        deadline = time.monotonic() + (RNG.uniform(0.1, 0.3) if attempt % 2 else 60)
        while process.poll() is None and time.monotonic() < deadline:
            if finished_blocks(journal) - kept and not attempt % 2:
                time.sleep(RNG.uniform(0, 0.01))
                break
            time.sleep(0.002)
        workers = children(process.pid)
        killed += process.kill() == -signal.SIGKILL
        if (folder / "pack.json").exists():
            break
        assert kept <= finished_blocks(journal)  # what earlier runs had finished still is
        kept = finished_blocks(journal)
        deadline = time.monotonic() + 5
        while any(map(alive, workers)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not any(map(alive, workers))  # no worker outlives its run
    assert killed >= 3 and kept
    resumed = forked.start(RUN, images, folder, broken)
    assert resumed.wait() == 0, resumed.stderr
    assert content(folder) == content(tmp_path / "whole")
    assert len(pack.load(folder)) == 6000


@pytest.mark.slow
def test_killed_between_closing_the_gaps_and_the_description(tmp_path):
    """The journal then describes pixels that have moved since."""
    _, images = with_broken(tmp_path)
    source = sources.find(images)
    pack.pack(source, tmp_path / "whole", 16, broken="skip")

    class Stop(Exception):
        pass

    def stop(done, total):
        if done == total:
            raise Stop

    with pytest.raises(Stop):
        pack.pack(source, tmp_path / "pack", 16, broken="skip", on_progress=stop)
    (tmp_path / "pack" / "pixels.u8").write_bytes((tmp_path / "whole" / "pixels.u8").read_bytes())
    pack.pack(source, tmp_path / "pack", 16, broken="skip")
    assert content(tmp_path / "pack") == content(tmp_path / "whole")


def test_finished_blocks_are_not_decoded_again(noise, whole, tmp_path):
    """Blocks stay as they are even when the images are gone."""
    images = folder_of(tmp_path / "images", {name: noise.read(i) for i, name in enumerate(noise.names)})
    source = sources.find(images)
    for i in (700, 1400):
        (images / source.names[i]).rename(tmp_path / str(i))
    with pytest.raises(FileNotFoundError):
        pack.pack(source, tmp_path / "pack", 16, workers=1)
    finished = [json.loads(line)[0] for line in (tmp_path / "pack" / "blocks.jsonl").read_text().splitlines()]
    assert finished == [0, 1]
    for i in range(512):
        (images / source.names[i]).unlink()
    for i in (700, 1400):
        (tmp_path / str(i)).rename(images / source.names[i])
    pack.pack(source, tmp_path / "pack", 16)
    assert content(tmp_path / "pack") == content(whole)


def flip_bit(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.fixture
def copy(whole, tmp_path):
    for name, data in content(whole).items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_one_wrong_bit_is_found_named_and_mended(noise, whole, copy):
    flip_bit(copy / "pixels.u8", 3 * 256 * 16 * 16 * 3 + 5)
    with pytest.raises(
        pack.PackError, match=r"block 3 of .*pixels.u8 \(images 768 to 1023\) is damaged.*pack it again"
    ):
        pack.load(copy)
    assert len(pack.load(copy, verify=False)) == 1500
    pack.pack(noise, copy, 16)
    assert content(copy) == content(whole)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: os.truncate(d / "pixels.u8", 500_000), "has 500000 bytes, expected 1152000.*block 2 is the first"),
        (lambda d: (d / "pixels.u8").unlink(), "no pack in .*pixels.u8 is missing"),
        (lambda d: flip_bit(d / "names.json", 50), "names.json is damaged"),
        (lambda d: (d / "names.json").unlink(), "names.json is missing"),
    ],
)
def test_other_damage_is_named_and_mended(noise, whole, copy, damage, message):
    damage(copy)
    with pytest.raises(pack.PackError, match=message):
        pack.load(copy)
    pack.pack(noise, copy, 16)
    assert content(copy) == content(whole)


def test_a_damaged_description_is_not_guessed(noise, copy):
    (copy / "pack.json").write_text((copy / "pack.json").read_text()[:-200])
    for attempt in (lambda: pack.load(copy), lambda: pack.pack(noise, copy, 16)):
        with pytest.raises(pack.PackError, match="pack.json is damaged.*delete .* and pack again"):
            attempt()


def test_nothing_is_overwritten(noise, copy, tmp_path):
    before = content(copy)
    with pytest.raises(pack.PackError, match="holds a pack of something else .size 16, not 12; resize 16, not 12"):
        pack.pack(noise, copy, 12)
    assert content(copy) == before
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("text")
    with pytest.raises(pack.PackError, match=r"is not empty \(chapter1.tex\) and holds no pack"):
        pack.pack(noise, tmp_path / "thesis", 16)
    with pytest.raises(pack.PackError, match="no pack in"):
        pack.load(tmp_path / "thesis")


def test_two_runs_do_not_write_into_one_folder(noise, tmp_path, monkeypatch):
    import fcntl

    monkeypatch.setattr(pack, "LOCK_SECONDS", 0.2)
    with open(tmp_path / "lock", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(pack.PackError, match="another process is packing"):
            pack.pack(noise, tmp_path, 16)
    assert len(pack.pack(noise, tmp_path, 16)) == 1500


@pytest.mark.parametrize("settings", [{"size": 0}, {"size": 20, "resize": 16}, {"size": 16, "broken": "ignore"}])
def test_bad_settings_are_refused_before_anything_is_written(noise, tmp_path, settings):
    with pytest.raises(ValueError, match="expected 1 <= size <= resize|must be 'fatal' or 'skip'"):
        pack.pack(noise, tmp_path / "pack", **settings)
    assert not (tmp_path / "pack").exists()


# -------------------------------------------------------------------------------------------- reading order


@pytest.mark.parametrize(("block", "window"), [(32, 256), (7, 5), (1, 1), (4000, 1), (64, 3)])
def test_every_image_once_an_epoch(whole, block, window):
    packed = pack.load(whole, verify=False)
    parts = list(pack.blocks(packed, seed=3, epoch=2, block=block, window=window))
    assert max(map(len, parts)) <= block * window
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(1500))


def test_order_is_set_by_seed_and_epoch_and_reads_runs(whole):
    packed = pack.load(whole, verify=False)

    def order(seed, epoch):
        return np.concatenate(list(pack.blocks(packed, seed, epoch, block=10, window=6)))

    assert np.array_equal(order(1, 1), order(1, 1))
    assert not np.array_equal(order(1, 1), order(1, 2)) and not np.array_equal(order(1, 1), order(2, 1))
    for part in pack.blocks(packed, 1, 1, block=10, window=6):
        starts, sizes = np.unique(part // 10, return_counts=True)
        assert len(starts) == 6 or len(part) < 60
        assert (sizes == 10).all() and (np.diff(part) != 1).any()


def test_batches_mix_the_classes(whole):
    """Images lie class by class, yet a batch has every class in about its share."""
    packed = pack.load(whole, verify=False)
    order = np.concatenate(list(pack.blocks(packed, seed=0, epoch=0, block=10, window=75)))
    counts = np.array([np.bincount(packed.labels[order[i : i + 150]], minlength=3) for i in range(0, 1500, 150)])
    assert counts.min() > 15 and counts.max() < 95  # 50 of each expected


# ------------------------------------------------------------------------------------------------- real data


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size", "per_class"), [("tiny_imagenet", 64, 3), ("cifar10", 32, 60)])
def test_real_zips(real_data, tmp_path, name, size, per_class):
    source = sources.find(real_data / name, images_per_class=per_class)
    packed = pack.pack(source, tmp_path, size)
    assert len(packed) == len(source) and packed.info["broken"] == 0
    for i in range(0, len(source), 7):
        expected = np.asarray(Image.open(io.BytesIO(source.read(i))).convert("RGB"))
        assert np.array_equal(packed.pixels[i], expected)
    assert pack.load(tmp_path).fingerprint == packed.fingerprint
    assert torch.from_numpy(packed.read(np.arange(5))).shape == (5, size, size, 3)
