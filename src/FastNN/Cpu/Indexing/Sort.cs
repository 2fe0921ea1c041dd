using System.Numerics;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Sorting by keys (<see cref="SortKey"/>): rows in parallel, each by one thread. Long rows by their digits, the lowest first
/// (radix sort, of which the places in the keys need none, since they are in order from the beginning); short ones by comparing;
/// a few of many are selected by a heap of those kept so far.
/// </summary>
internal sealed unsafe partial class CpuIndexing
{
    public void Sort(Tensor x, Tensor values, Tensor indices, Tensor? workspace, in SortGeometry geometry)
    {
        var body = new SortRows(
            Pool, Floats(x), Floats(values), (int*)indices.Address, workspace is null ? null : (ulong*)workspace.Address,
            geometry);
        if (geometry.Kept > 0 && geometry.Rows > 0)
        {
            Pool.Run((geometry.Rows + body.PerTask - 1) / body.PerTask, ref body);
        }
    }

    public void SortBackward(Tensor indices, Tensor dY, Tensor dX, in SortGeometry geometry, bool accumulate)
    {
        if (!accumulate && geometry.Kept != geometry.Terms)
        {
            Fill(dX, 0);
        }

        if (geometry.Kept > 0)
        {
            RowLoop.Run(
                Pool, geometry.Rows, geometry.Terms,
                new ScatterRows((int*)indices.Address, Floats(dY), Floats(dX), geometry, accumulate));
        }
    }

    private readonly struct ScatterRows(int* indices, float* dY, float* dX, SortGeometry geometry, bool accumulate) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint row = start; row < end; row++)
            {
                float* to = dX + (row * geometry.Terms);
                for (nint i = row * geometry.Kept; i < (row + 1) * geometry.Kept; i++)
                {
                    to[indices[i]] = accumulate ? to[indices[i]] + dY[i] : dY[i];
                }
            }
        }
    }

    private readonly struct SortRows(
        WorkerPool pool, float* x, float* values, int* indices, ulong* workspace, SortGeometry geometry) : IParallelBody
    {
        /// <summary>Rows below this are sorted by comparing.</summary>
        private const int RadixTerms = 512;

        /// <summary>
        /// Whether so few are wanted that a heap finds them before a sort is done: of random elements about k (1 + ln(n / k)) of
        /// n enter it, each by log2 k steps. With this bound 256 of 50,257 took 0.09 ms and all of them 0.43 ms, and 100 of
        /// 1,000, which it rules out, 13 us and 9 us (a core of an AMD EPYC, Zen 5).
        /// </summary>
        private bool IsSelection => 3L * geometry.Kept * (BitOperations.Log2((uint)geometry.Kept) + 1) <= geometry.Terms;

        public int PerTask => RowLoop.RowsPerTask(geometry.Terms * 8L);

        public void Invoke(int task, int worker)
        {
            int end = Math.Min(geometry.Rows, (task + 1) * PerTask);
            for (int row = task * PerTask; row < end; row++)
            {
                bool fits = 2L * sizeof(ulong) * geometry.Terms <= WorkerPool.ScratchBytes;
                ulong* keys = fits ? (ulong*)pool.Scratch(worker) : workspace + (2L * row * geometry.Terms);
                float* from = x + ((long)row * geometry.Terms);
                if (IsSelection)
                {
                    Select(from, keys);
                }
                else
                {
                    for (int i = 0; i < geometry.Terms; i++)
                    {
                        keys[i] = SortKey.Of(from[i], i, geometry.Descending);
                    }

                    if (geometry.Terms >= RadixTerms)
                    {
                        keys = Radix(keys, keys + geometry.Terms);
                    }
                    else
                    {
                        new Span<ulong>(keys, geometry.Terms).Sort();
                    }
                }

                long to = (long)row * geometry.Kept;
                for (int i = 0; i < geometry.Kept; i++)
                {
                    int index = (int)(uint)keys[i];
                    (values[to + i], indices[to + i]) = (from[index], index);
                }
            }
        }

        /// <summary>
        /// The first keys so far are a heap with the last of them on top, which most others are behind: one comparison.
        /// </summary>
        private void Select(float* from, ulong* keys)
        {
            int kept = geometry.Kept;
            for (int i = 0; i < kept; i++)
            {
                keys[i] = SortKey.Of(from[i], i, geometry.Descending);
            }

            for (int i = (kept / 2) - 1; i >= 0; i--)
            {
                Sink(keys, i, keys[i]);
            }

            float last = from[(uint)keys[0]];
            for (int i = kept; i < geometry.Terms; i++)
            {
                // False for NaN, whose place only its key knows.
                if (geometry.Descending ? from[i] < last : from[i] > last)
                {
                    continue;
                }

                ulong key = SortKey.Of(from[i], i, geometry.Descending);
                if (key < keys[0])
                {
                    Sink(keys, 0, key);
                    last = from[(uint)keys[0]];
                }
            }

            new Span<ulong>(keys, kept).Sort();
        }

        /// <summary>Puts a key into the place that is free, or below it, where larger ones move up.</summary>
        private void Sink(ulong* keys, int place, ulong key)
        {
            int kept = geometry.Kept;
            for (int below; (below = (2 * place) + 1) < kept; place = below)
            {
                below += below + 1 < kept && keys[below + 1] > keys[below] ? 1 : 0;
                if (keys[below] <= key)
                {
                    break;
                }

                keys[place] = keys[below];
            }

            keys[place] = key;
        }

        /// <summary>By the four bytes of the value; a byte that all keys share takes no pass.</summary>
        private ulong* Radix(ulong* keys, ulong* other)
        {
            int* counts = stackalloc int[4 * 256];
            new Span<int>(counts, 4 * 256).Clear();
            for (int i = 0; i < geometry.Terms; i++)
            {
                uint order = (uint)(keys[i] >> 32);
                counts[order & 255]++;
                counts[256 + ((order >> 8) & 255)]++;
                counts[512 + ((order >> 16) & 255)]++;
                counts[768 + (order >> 24)]++;
            }

            for (int digit = 0; digit < 4; digit++)
            {
                int* places = counts + (256 * digit);
                int shift = 32 + (8 * digit);
                if (places[(keys[0] >> shift) & 255] == geometry.Terms)
                {
                    continue;
                }

                int place = 0;
                for (int i = 0; i < 256; i++)
                {
                    (places[i], place) = (place, place + places[i]);
                }

                for (int i = 0; i < geometry.Terms; i++)
                {
                    other[places[(keys[i] >> shift) & 255]++] = keys[i];
                }

                ulong* sorted = other;
                other = keys;
                keys = sorted;
            }

            return keys;
        }
    }
}
