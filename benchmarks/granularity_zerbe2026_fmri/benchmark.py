from brainscore_granularity.brains.laion_rsa import rsa_on_part


def natural(region):
    """Images of the distribution that most images of the data set were drawn from, shown 12 times."""
    return rsa_on_part(f"Zerbe2026_fmri.{region}-rsa", region, "natural")


def out_of_distribution(region):
    """Shapes, illusions, Gabors, unusual, cropped and made-up scenes, shown 4 times."""
    return rsa_on_part(f"Zerbe2026_fmri.{region}-ood-rsa", region, "ood")
