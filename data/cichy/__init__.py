"""92 and 118 object images with human fMRI and MEG of 15 people, as published RDMs."""

from brainscore_vision import data_registry, stimulus_set_registry

from brainscore_granularity.datasets.cichy import rdms, stimulus_set

stimulus_set_registry["Cichy2014"] = lambda: stimulus_set("Cichy2014")
stimulus_set_registry["Cichy2016"] = lambda: stimulus_set("Cichy2016")

data_registry["Cichy2014_fmri.EVC"] = lambda: rdms("Cichy2014", "fmri.EVC")
data_registry["Cichy2014_fmri.IT"] = lambda: rdms("Cichy2014", "fmri.IT")
data_registry["Cichy2014_meg.early"] = lambda: rdms("Cichy2014", "meg.early")
data_registry["Cichy2014_meg.late"] = lambda: rdms("Cichy2014", "meg.late")
data_registry["Cichy2016_fmri.EVC"] = lambda: rdms("Cichy2016", "fmri.EVC")
data_registry["Cichy2016_fmri.IT"] = lambda: rdms("Cichy2016", "fmri.IT")
data_registry["Cichy2016_meg.early"] = lambda: rdms("Cichy2016", "meg.early")
data_registry["Cichy2016_meg.late"] = lambda: rdms("Cichy2016", "meg.late")
