"""The literature that plugins cite, in BibTeX; the only place for these entries."""

from __future__ import annotations

import re


def bibtex(*keys: str) -> str:
    """The BibTeX entries of some keys, in this order.

    >>> print(bibtex("gokce2025scaling").splitlines()[0])
    @inproceedings{gokce2025scaling,
    """
    if unknown := [key for key in keys if key not in ENTRIES]:
        raise ValueError(f"no reference {', '.join(unknown)}; add it to {__file__}, which has {', '.join(ENTRIES)}")
    return "\n".join(ENTRIES[key] for key in keys)


_TEXT = """
@article{allen2022massive,
  title = {A massive {7T} {fMRI} dataset to bridge cognitive neuroscience and artificial intelligence},
  author = {Allen, Emily J. and St-Yves, Ghislain and Wu, Yihan and Breedlove, Jesse L. and Prince, Jacob S. and
    Dowdle, Logan T. and Nau, Matthias and Caron, Brad and Pestilli, Franco and Charest, Ian and Hutchinson, J. Benjamin
    and Naselaris, Thomas and Kay, Kendrick},
  journal = {Nature Neuroscience},
  year = {2022},
  url = {https://doi.org/10.1038/s41593-021-00962-x}
}
@article{cichy2014resolving,
  title = {Resolving human object recognition in space and time},
  author = {Cichy, Radoslaw Martin and Pantazis, Dimitrios and Oliva, Aude},
  journal = {Nature Neuroscience},
  volume = {17},
  number = {3},
  pages = {455--462},
  year = {2014},
  url = {https://doi.org/10.1038/nn.3635}
}
@article{cichy2016similarity,
  title = {Similarity-based fusion of {MEG} and {fMRI} reveals spatio-temporal dynamics in human cortex during visual
    object recognition},
  author = {Cichy, Radoslaw Martin and Pantazis, Dimitrios and Oliva, Aude},
  journal = {Cerebral Cortex},
  volume = {26},
  number = {8},
  pages = {3563--3579},
  year = {2016},
  url = {https://doi.org/10.1093/cercor/bhw135}
}
@article{cichy2019algonauts,
  title = {The {Algonauts} project: a platform for communication between the sciences of biological and artificial
    intelligence},
  author = {Cichy, Radoslaw Martin and Roig, Gemma and Andonian, Alex and Dwivedi, Kshitij and Lahner, Benjamin and
    Lascelles, Alex and Mohsenzadeh, Yalda and Ramakrishnan, Kandan and Oliva, Aude},
  journal = {arXiv preprint arXiv:1905.05675},
  year = {2019},
  url = {https://arxiv.org/abs/1905.05675}
}
@article{cowley2023compact,
  title = {Compact deep neural network models of visual cortex},
  author = {Cowley, Benjamin R. and Stan, Patricia L. and Pillow, Jonathan W. and Smith, Matthew A.},
  journal = {bioRxiv},
  year = {2023},
  url = {https://doi.org/10.1101/2023.11.22.568315}
}
@article{gifford2025synthetic,
  title = {A {7T} {fMRI} dataset of synthetic images for out-of-distribution modeling of vision},
  author = {Gifford, Alessandro T. and Cichy, Radoslaw M. and Naselaris, Thomas and Kay, Kendrick},
  journal = {arXiv preprint arXiv:2503.06286},
  year = {2025},
  url = {https://arxiv.org/abs/2503.06286}
}
@inproceedings{gokce2025scaling,
  title = {Scaling Laws for Task-Optimized Models of the Primate Visual Ventral Stream},
  author = {Gokce, Abdulkadir and Schrimpf, Martin},
  booktitle = {International Conference on Machine Learning},
  year = {2025},
  url = {https://arxiv.org/abs/2411.05712}
}
@article{hebart2023things,
  title = {{THINGS}-data, a multimodal collection of large-scale datasets for investigating object representations in
    human brain and behavior},
  author = {Hebart, Martin N. and Contier, Oliver and Teichmann, Lina and Rockter, Adam H. and Zheng, Charles Y. and
    Kidder, Alexis and Corriveau, Anna and Vaziri-Pashkam, Maryam and Baker, Chris I.},
  journal = {eLife},
  year = {2023},
  url = {https://doi.org/10.7554/eLife.82580}
}
@article{kiani2007object,
  title = {Object category structure in response patterns of neuronal population in monkey inferior temporal cortex},
  author = {Kiani, Roozbeh and Esteky, Hossein and Mirpour, Koorosh and Tanaka, Keiji},
  journal = {Journal of Neurophysiology},
  year = {2007},
  url = {https://doi.org/10.1152/jn.00024.2007}
}
@article{kriegeskorte2008matching,
  title = {Matching categorical object representations in inferior temporal cortex of man and monkey},
  author = {Kriegeskorte, Nikolaus and Mur, Marieke and Ruff, Douglas A. and Kiani, Roozbeh and Bodurka, Jerzy and
    Esteky, Hossein and Tanaka, Keiji and Bandettini, Peter A.},
  journal = {Neuron},
  volume = {60},
  number = {6},
  pages = {1126--1141},
  year = {2008},
  url = {https://doi.org/10.1016/j.neuron.2008.10.043}
}
@article{kriegeskorte2008representational,
  title = {Representational similarity analysis -- connecting the branches of systems neuroscience},
  author = {Kriegeskorte, Nikolaus and Mur, Marieke and Bandettini, Peter A.},
  journal = {Frontiers in Systems Neuroscience},
  year = {2008},
  url = {https://doi.org/10.3389/neuro.06.004.2008}
}
@article{leutenegger2026untrained,
  title = {Untrained CNNs match backpropagation at V1},
  author = {Leutenegger, Nils},
  journal = {arXiv preprint arXiv:2604.16875},
  year = {2026},
  url = {https://arxiv.org/abs/2604.16875}
}
@article{li2026triplen,
  title = {Triple-{N} dataset: large-scale {fMRI}-guided dense recordings of nonhuman primate neural responses to
    natural scenes},
  author = {Li, Yipeng and Liu, Xieyi and Li, Wanru and Yang, Jia and Gong, Baoqi and Jin, Wei and Gong, Zhengxin and
    Wang, Kesheng and Luo, Jingqiu and Zhao, Zishuo and Bao, Pinglei},
  journal = {Nature Neuroscience},
  year = {2026},
  url = {https://doi.org/10.1038/s41593-026-02322-z}
}
@article{mehta2026coarse,
  title = {An extremely coarse feedback signal is sufficient for learning human-aligned visual representations},
  author = {Mehta, Yash and Bonner, Michael F.},
  journal = {arXiv preprint arXiv:2605.05556},
  year = {2026},
  url = {https://arxiv.org/abs/2605.05556}
}
@article{mur2013human,
  title = {Human object-similarity judgments reflect and transcend the primate-{IT} object representation},
  author = {Mur, Marieke and Meys, Mirjam and Bodurka, Jerzy and Goebel, Rainer and Bandettini, Peter A. and
    Kriegeskorte, Nikolaus},
  journal = {Frontiers in Psychology},
  year = {2013},
  url = {https://doi.org/10.3389/fpsyg.2013.00128}
}
@article{naselaris2011encoding,
  title = {Encoding and decoding in {fMRI}},
  author = {Naselaris, Thomas and Kay, Kendrick N. and Nishimoto, Shinji and Gallant, Jack L.},
  journal = {NeuroImage},
  volume = {56},
  number = {2},
  pages = {400--410},
  year = {2011},
  url = {https://doi.org/10.1016/j.neuroimage.2010.07.073}
}
@article{nili2014toolbox,
  title = {A toolbox for representational similarity analysis},
  author = {Nili, Hamed and Wingfield, Cai and Walther, Alexander and Su, Li and Marslen-Wilson, William and
    Kriegeskorte, Nikolaus},
  journal = {PLoS Computational Biology},
  year = {2014},
  url = {https://doi.org/10.1371/journal.pcbi.1003553}
}
@article{papale2025extensive,
  title = {An extensive dataset of spiking activity to reveal the syntax of the ventral stream},
  author = {Papale, Paolo and Wang, Feng and Self, Matthew W. and Roelfsema, Pieter R.},
  journal = {Neuron},
  year = {2025},
  url = {https://doi.org/10.1016/j.neuron.2024.12.003}
}
@inproceedings{zerbe2026laion,
  title = {{LAION}-{fMRI}: A densely sampled {7T}-{fMRI} dataset providing broad coverage of natural image diversity},
  author = {Zerbe, Josefine and Roth, Johannes and Mell, Maggie Mae and Herholz, Peer and Knapen, Tomas and Hebart,
    Martin N.},
  booktitle = {Vision Sciences Society Annual Meeting},
  year = {2026},
  url = {https://laion-fmri.hebartlab.com}
}
"""
ENTRIES = {re.match(r"@\w+\{([^,]+),", entry)[1]: entry for entry in re.split(r"\n(?=@)", _TEXT.strip())}
