"""The inner loops of resampling and permutation, compiled by numba. Import it only where numba is installed.

Sixteen resamples are computed together as the lanes of one vector: 16 int32 are a cache line. numba's own loops
over lanes are compiled to scalar code, because LLVM cannot prove that the arrays do not overlap; the four
small operations below state the vectors outright and make both passes about three times faster. They
compile on any processor: LLVM splits a vector that is wider than the machine's.

Compiled code is kept in the package's home and not beside this file, so that an uninstall leaves nothing behind;
where that cannot be written, the loops are compiled afresh in each process (about two seconds).
"""

from __future__ import annotations

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from brainscore_granularity.paths import home

LANES = 16
_INTS = ir.VectorType(ir.IntType(32), LANES)
_FLOATS = ir.VectorType(ir.DoubleType(), LANES)


def compiled(function):
    """Compile ``function`` at its first call, outside the interpreter lock, cached on disk where that is
    possible."""
    users_own = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = users_own or str(home() / "compiled")
    try:
        return numba.njit(function, cache=True, nogil=True)
    except RuntimeError:  # "cannot cache function: no locator available": there is nowhere to write
        return numba.njit(function, nogil=True)
    finally:
        numba.config.CACHE_DIR = users_own


def _pointer(context, builder, signature, arguments, k, vector):
    array = context.make_array(signature.args[k])(context, builder, arguments[k])
    return builder.bitcast(array.data, vector.as_pointer())


def _load(context, builder, signature, arguments, k, vector=_INTS):
    value = builder.load(_pointer(context, builder, signature, arguments, k, vector))
    value.align = 4 if vector is _INTS else 8
    return value


def _store(context, builder, signature, arguments, k, value, vector=_INTS):
    store = builder.store(value, _pointer(context, builder, signature, arguments, k, vector))
    store.align = 4 if vector is _INTS else 8


@intrinsic
def step(typing, wi, wj, count, total, rank):
    """count += wi * wj; rank = (count before) + (count after) - total: a doubled, centred average rank."""

    def generate(*state):
        builder = state[1]
        weight = builder.mul(_load(*state, 0), _load(*state, 1))
        before = _load(*state, 2)
        after = builder.add(before, weight)
        _store(*state, 4, builder.sub(builder.add(before, after), _load(*state, 3)))
        _store(*state, 2, after)
        return state[0].get_dummy_value()

    return types.void(wi, wj, count, total, rank), generate


@intrinsic
def weigh(typing, wi, wj, rank, weighted):
    """weighted = (wi * wj) * rank, in float64."""

    def generate(*state):
        builder = state[1]
        weight = builder.sitofp(builder.mul(_load(*state, 0), _load(*state, 1)), _FLOATS)
        _store(*state, 3, builder.fmul(weight, builder.sitofp(_load(*state, 2), _FLOATS)), _FLOATS)
        return state[0].get_dummy_value()

    return types.void(wi, wj, rank, weighted), generate


@intrinsic
def accumulate(typing, weighted, rank, product):
    """product += weighted * rank, in float64."""

    def generate(*state):
        builder = state[1]
        term = builder.fmul(_load(*state, 0, _FLOATS), builder.sitofp(_load(*state, 1), _FLOATS))
        _store(*state, 2, builder.fadd(_load(*state, 2, _FLOATS), term), _FLOATS)
        return state[0].get_dummy_value()

    return types.void(weighted, rank, product), generate


@intrinsic
def prefetch(typing, array):
    """Ask for the cache line where ``array`` begins."""

    def generate(context, builder, signature, arguments):
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
        builder.call(function, [builder.bitcast(array.data, byte), *(ir.Constant(word, k) for k in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array), generate


@compiled
def count_group(rows, columns, start, stop, w, total, count, rank, ties):
    """Pass one tie group: count moves past it, rank is the rank its members share, ties takes its tie sum."""
    before = count.copy()
    for q in range(start, stop):
        i, j = rows[q], columns[q]
        for k in range(LANES):
            weight = w[i, k] * w[j, k]
            count[k] += weight
            ties[k] -= float(weight) ** 3
    for k in range(LANES):
        ties[k] += float(count[k] - before[k]) ** 3
        rank[k] = before[k] + count[k] - total[k]


@compiled
def rank_pairs(rows, columns, order, starts, w, total, table, ties):
    """Doubled, centred average ranks of one RDM in every lane.

    rows, columns (m,): images of the pairs, in sorted order; order (m,): their numbers; starts (groups +
    1,): where tie groups start; w (n, LANES): counts; total (LANES,): entries in each resample. Writes
    table (m, LANES), by pair number, and adds to ties (LANES,) the sum over tie groups of W_g^3 less the
    sum over their members of w^3.
    """
    count, rank = np.zeros(LANES, np.int32), np.zeros(LANES, np.int32)
    for g in range(starts.size - 1):
        start, stop = starts[g], starts[g + 1]
        if stop - start == 1:
            step(w[rows[start]], w[columns[start]], count, total, table[order[start]])
            continue
        count_group(rows, columns, start, stop, w, total, count, rank, ties)
        for q in range(start, stop):
            table[order[q]] = rank


@compiled
def multiply_ranks(rows, columns, order, starts, w, total, table, product, ties):
    """Add to product (subjects, LANES) the sums of w x (rank in this RDM) x (rank in table (m, subjects,
    LANES))."""
    count, rank, weighted = np.zeros(LANES, np.int32), np.zeros(LANES, np.int32), np.zeros(LANES)
    subjects, last = table.shape[1], order.size - 1
    for g in range(starts.size - 1):
        start, stop = starts[g], starts[g + 1]
        single = stop - start == 1
        if not single:
            count_group(rows, columns, start, stop, w, total, count, rank, ties)
        for q in range(start, stop):
            wi, wj, ranks = w[rows[q]], w[columns[q]], table[order[q]]
            ahead = table[order[min(q + 12, last)]]
            if single:
                step(wi, wj, count, total, rank)
            weigh(wi, wj, rank, weighted)
            for s in range(subjects):
                prefetch(ahead[s])
                accumulate(weighted, ranks[s], product[s])


@compiled
def permuted_products(layers, target, permutations):
    """Sums over pairs of layer[i, j] target[p(i), p(j)]: (permutations, layers)."""
    n = target.shape[0]
    out = np.zeros((len(permutations), len(layers)))
    row = np.empty(n)
    for r in range(len(permutations)):
        p = permutations[r]
        for i in range(1, n):
            source = target[p[i]]
            for j in range(i):
                row[j] = source[p[j]]
            for k in range(len(layers)):
                layer = layers[k, i]
                s0 = s1 = s2 = s3 = 0.0  # four sums, so that additions need not wait for one another
                for j in range(0, i - 3, 4):
                    s0 += layer[j] * row[j]
                    s1 += layer[j + 1] * row[j + 1]
                    s2 += layer[j + 2] * row[j + 2]
                    s3 += layer[j + 3] * row[j + 3]
                for j in range(i - i % 4, i):
                    s0 += layer[j] * row[j]
                out[r, k] += (s0 + s1) + (s2 + s3)
    return out
