"""One network trained by several processes, started by torchrun; each takes its share of every batch.

The result is that of one process: gradients are averaged, batch norm sees the whole batch, and every process draws
the augmentation's random numbers for the whole batch and uses its share of them. Only the network's own randomness
(dropout, adversarial starts) differs between processes. Only the first process writes files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class ProcessLost(RuntimeError):
    """Another process of the job has ended or cannot be reached."""


@dataclass(frozen=True)
class Processes:
    """Rank of this process and number of processes."""

    rank: int = 0
    number: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, n: int) -> slice:
        """The part of ``n`` rows that belongs to this process."""
        if n % self.number:
            raise ValueError(f"a batch of {n} images cannot be shared evenly by {self.number} processes")
        part = n // self.number
        return slice(self.rank * part, (self.rank + 1) * part)


ALONE = Processes()


def processes() -> Processes:
    """Rank and number of the processes that have joined; a single one without torchrun."""
    if not distributed.is_available() or not distributed.is_initialized():
        return ALONE
    return Processes(distributed.get_rank(), distributed.get_world_size())


@contextmanager
def joined(device: str | None = None) -> Iterator[str | None]:
    """Join the processes that torchrun has started; yields the device of this one. Does nothing without torchrun."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield device
        return
    if device is None and torch.cuda.is_available():
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    on_gpu = device is not None and torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(device)
    with _others():
        # gloo also on GPUs, for data on the CPU: labels, and states after a crash.
        distributed.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def from_first(function: Callable):
    """Call a function in the first process and return its result in all. If it fails, only the first reports it."""
    here = processes()
    if here.number == 1:
        return function()
    box, failure = [None, True], None
    if here.first:
        try:
            box = [function(), False]
        except Exception as error:
            failure = error
    with _others():
        distributed.broadcast_object_list(box, src=0)
    if failure:
        raise failure
    if box[1]:
        raise SystemExit(1)
    return box[0]


def average_(tensors: list[torch.Tensor]) -> None:
    """Replace tensors by their mean over the processes, in one exchange."""
    flat = torch.cat([t.reshape(-1) for t in tensors])
    with _others():
        distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view(tensor.shape))


def at_least_single(tensor: torch.Tensor) -> torch.Tensor:
    """Cast to at least float32."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def gathered(tensor: torch.Tensor) -> torch.Tensor:
    """This tensor of every process, stacked (processes, ...), with gradients; (1, ...) with a single process."""
    return tensor.unsqueeze(0) if processes().number == 1 else _Gather.apply(tensor)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor):
        parts = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(processes().number)]
        with _others():
            distributed.all_gather(parts, tensor.contiguous())
        return torch.stack(parts)

    @staticmethod
    def backward(ctx, gradient):
        gradient = gradient.contiguous()
        with _others():
            distributed.all_reduce(gradient)  # the loss of every process depends on the tensor of this one
        return gradient[processes().rank]


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over the images of all processes (torch's SyncBatchNorm works on GPUs only).

    The batch is split into P equal shares. With m_p and v_p the mean and variance in process p, the total mean is the
    mean of the m_p, and the total variance is the mean of the v_p plus the variance of the m_p.
    """

    def _check_input_dim(self, inputs):
        """Accept any number of dimensions."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(inputs)
        wide = at_least_single(inputs)
        others = (0, *range(2, wide.ndim))
        variance, mean = torch.var_mean(wide, dim=others, correction=0)
        means, variances = gathered(torch.stack([mean, variance])).unbind(1)
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        with torch.no_grad():
            count = wide.numel() // len(mean) * len(means)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
            self.num_batches_tracked += 1
        shape = (1, -1, *(1 for _ in others[1:]))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (wide * scale.view(shape) + (self.bias - mean * scale).view(shape)).to(inputs.dtype)


def share_batch_norm(network: nn.Module) -> None:
    """Let every batch norm of a network see the images of all processes; names and values are kept."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if not isinstance(child, nn.modules.batchnorm._BatchNorm):
                continue
            if type(child) not in BATCH_NORMS or not child.affine or child.momentum is None:
                raise ValueError(
                    f"{type(child).__name__} ({name}) cannot be shared between processes; train this network in one"
                )
            shared = SharedBatchNorm(child.num_features, child.eps, child.momentum)
            shared.load_state_dict(child.state_dict())
            setattr(parent, name, shared.train(child.training))


@contextmanager
def _others() -> Iterator[None]:
    """Turn torch's errors about processes that do not answer into one clear error."""
    try:
        yield
    except RuntimeError as error:
        here = processes()
        reason = " ".join(str(error).split())[:200]
        raise ProcessLost(
            f"process {here.rank + 1} of {os.environ.get('WORLD_SIZE')} lost the others: one has ended or cannot be "
            f"reached ({reason}). The state last saved is kept; the same command continues from there."
        ) from error
