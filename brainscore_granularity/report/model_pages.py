"""One section per model: card, training curve, layers, scores."""

from __future__ import annotations

import html

from brainscore_granularity import plugins
from brainscore_granularity.weights import checkpoints
from brainscore_granularity.weights.find import find

from .summary import number

esc = html.escape


def card(model: str) -> dict:
    """Description of a model's weights; empty for models that are not ours or whose weights are not found here."""
    plugin = plugins.folder_of("models", model)
    if plugin is None:
        return {}
    try:
        found = find(model, plugin)
    except checkpoints.CheckpointError:
        return {}
    return {**found.info, "sha256": found.sha256}


def page(model: str, records: list[dict], info: dict) -> str:
    """HTML of one model, collapsed until it is clicked. records : its scores."""
    layers = next((r["fingerprint"]["layers"] for r in records if (r.get("fingerprint") or {}).get("layers")), None)
    parts = [_card(info, records), _curve(info.get("metrics", {}).get("train_loss") or [], model)]
    if layers:
        chosen = ", ".join(f"{esc(region)}: {esc(layer)}" for region, layer in layers.items())
        parts.append(f"<p class=muted>Layers committed to regions: {chosen}.</p>")
    parts.append(_scores(records))
    return f'<details class="model"><summary>{esc(model)}</summary><div id="model-{esc(model)}">{"".join(parts)}</div></details>'


def _card(info: dict, records: list[dict]) -> str:
    scored = {r["checkpoint"] for r in records if r.get("checkpoint")}
    facts = {"weights that were scored": ", ".join(sorted(s[:12] for s in scored)) or "of Brain-Score's own model"}
    if info:
        recipe = info.get("recipe", {})
        facts |= {
            "network": info.get("network"),
            "classes": info.get("classes"),
            "labels": recipe.get("labels"),
            "seed": recipe.get("seed"),
            "images": info.get("data", {}).get("number") or info.get("data", {}).get("images"),
            "epochs": recipe.get("epochs"),
            "optimiser": recipe.get("optimizer"),
            "accuracy on held-out images": info.get("metrics", {}).get("validation_accuracy"),
            "trained on simulated images": "yes" if info.get("simulated") else "no",
        }
        if scored and scored != {info["sha256"]}:
            facts["note"] = f"the weights here now ({info['sha256'][:12]}) are not those that were scored"
    shown = {k: v for k, v in facts.items() if v is not None}
    return "<dl>" + "".join(f"<dt>{esc(k)}</dt><dd>{esc(str(v))}</dd>" for k, v in shown.items()) + "</dl>"


def _curve(losses: list[float], model: str) -> str:
    if len(losses) < 2:
        return ""
    low, high = min(losses), max(losses)
    span = (high - low) or 1.0
    points = " ".join(
        f"{36 + 230 * i / (len(losses) - 1):.1f},{8 + 70 * (high - v) / span:.1f}" for i, v in enumerate(losses)
    )
    return (
        f'<figure><svg viewBox="0 0 280 100" width="280" role="img" aria-label="Training loss of {esc(model)}">'
        f'<polyline class="curve" points="{points}"/><text x="32" y="12" text-anchor="end">{high:.2f}</text>'
        f'<text x="32" y="82" text-anchor="end">{low:.2f}</text><text x="36" y="97">epoch 1</text>'
        f'<text x="266" y="97" text-anchor="end">{len(losses)}</text></svg><figcaption>Training loss</figcaption></figure>'
    )


def _scores(records: list[dict]) -> str:
    rows = []
    for r in records:
        if r["status"] != "ok":
            rows.append(
                f"<tr><th scope=row>{esc(r['benchmark'])}<td>failed<td class=text colspan=3>{esc(str(r.get('reason')))}"
            )
            continue
        low, high = r.get("interval") or (None, None)
        interval = f"{number(low)} to {number(high)}" if low is not None and high is not None else ""
        raw = number(r["raw"]) if r.get("raw") is not None else ""
        mark = ' <span class="tag">simulated</span>' if r.get("simulated") else ""
        rows.append(f"<tr><th scope=row>{esc(r['benchmark'])}{mark}<td>{number(r['value'])}<td>{interval}<td>{raw}"
                    f"<td class=text>{esc(r.get('layer') or '')}")  # fmt: skip
    head = "".join(f"<th scope=col>{name}" for name in ("benchmark", "value", "95% interval", "raw", "layer"))
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'
    )
