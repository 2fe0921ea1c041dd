using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Strided copies: permutations, slices, splits, repetitions. Runs that both sides have in a row are copied as such; where the
/// source runs along another axis than the destination, floats are transposed in registers, four columns of a vector's worth of
/// rows at a time; anything else goes element by element.
/// </summary>
internal sealed unsafe partial class CpuIndexing
{
    public void Rearrange(Tensor from, Tensor to, StridedCopy copy, bool accumulate)
    {
        if (copy.Axes.Count == 0)
        {
            return;
        }

        switch (to.Type.Size())
        {
            case 1:
                Rearrange((byte*)from.Address + copy.From, (byte*)to.Address + copy.To, copy.Axes);
                break;
            case 2:
                Rearrange((ushort*)from.Address + copy.From, (ushort*)to.Address + copy.To, copy.Axes);
                break;
            case 4:
                float* source = Floats(from) + copy.From, target = Floats(to) + copy.To;
                if (FloatPlanes.Find(copy.Axes) is int axis and >= 0)
                {
                    FloatPlanes.Run(Pool, new FloatPlanes(copy.Axes, axis, source, target, accumulate));
                }
                else if (accumulate)
                {
                    RowLoop.Run(Pool, copy.Axes.Outer, copy.Axes.Inner, new AddRows(copy.Axes, source, target));
                }
                else
                {
                    Rearrange(source, target, copy.Axes);
                }

                break;
            default:
                Rearrange((ulong*)from.Address + copy.From, (ulong*)to.Address + copy.To, copy.Axes);
                break;
        }
    }

    private void Rearrange<T>(T* from, T* to, in StridedAxes axes)
        where T : unmanaged => RowLoop.Run(Pool, axes.Outer, axes.Inner, new MoveRows<T>(axes, from, to));

    /// <summary>The steps along the innermost axis, 1 for a single element.</summary>
    private static (nint From, nint To) InnerSteps(in StridedAxes axes) =>
        axes.Rank == 0 ? (1, 1) : ((nint)axes.First[axes.Rank - 1], (nint)axes.Second[axes.Rank - 1]);

    private readonly struct MoveRows<T>(StridedAxes axes, T* from, T* to) : IRowBody
        where T : unmanaged
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            (nint fromStep, nint toStep) = InnerSteps(axes);
            int length = axes.Inner;
            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint first, out nint second, out _);
                if (fromStep == 1 && toStep == 1)
                {
                    // The bytes of a row may be more than an unsigned integer of 32 bits counts.
                    long bytes = (long)length * sizeof(T);
                    Buffer.MemoryCopy(from + first, to + second, bytes, bytes);
                    continue;
                }

                T* source = from + first, target = to + second;
                if (fromStep == 0 && toStep == 1)
                {
                    new Span<T>(target, length).Fill(*source);
                    continue;
                }

                for (int i = 0; i < length; i++)
                {
                    *target = *source;
                    source += fromStep;
                    target += toStep;
                }
            }
        }
    }

    private readonly struct AddRows(StridedAxes axes, float* from, float* to) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            (nint fromStep, nint toStep) = InnerSteps(axes);
            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint first, out nint second, out _);
                float* source = from + first, target = to + second;
                if (fromStep == 1 && toStep == 1)
                {
                    ElementLoop.Range<TLanes, UnaryMap<Identity, Accumulate>>(new(source, target, default), 0, axes.Inner);
                    continue;
                }

                for (int i = 0; i < axes.Inner; i++)
                {
                    *target += *source;
                    source += fromStep;
                    target += toStep;
                }
            }
        }
    }

    /// <summary>
    /// Planes whose rows run along one axis in the source and along another in the destination; the other axes number the planes.
    /// A task is a band of 64 source rows, or a part of it, which become 256 bytes of each destination row.
    /// </summary>
    private readonly struct FloatPlanes(StridedAxes axes, int across, float* from, float* to, bool accumulate) : IRowBody
    {
        private const int Band = 64;

        /// <summary>Columns of a task: the planes of an image are few rows, but long ones.</summary>
        private const int Cut = 4096;

        private int Rows => axes.Inner;

        private int Bands => (Rows + Band - 1) / Band;

        private int Cuts => (axes.Extents[across] + Cut - 1) / Cut;

        private int Tasks => checked((int)(axes.Outer / axes.Extents[across] * (long)Bands * Cuts));

        private long TaskLength => Math.Min(axes.Extents[across], Cut) * (long)Math.Min(Rows, Band);

        /// <summary>
        /// The axis along which the source is contiguous, where the destination is along the innermost; -1 where no such pair
        /// exists.
        /// </summary>
        public static int Find(in StridedAxes axes)
        {
            int inner = axes.Rank - 1;
            if (inner < 1 || axes.Second[inner] != 1 || axes.First[inner] is 1 or 0)
            {
                return -1;
            }

            for (int axis = inner - 1; axis >= 0; axis--)
            {
                if (axes.First[axis] == 1)
                {
                    return axis;
                }
            }

            return -1;
        }

        public static void Run(WorkerPool pool, FloatPlanes body) => RowLoop.Run(pool, body.Tasks, body.TaskLength, body);

        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint task = start; task < end; task++)
            {
                (nint plane, nint cut) = Math.DivRem(task, Cuts);
                (plane, nint band) = Math.DivRem(plane, Bands);
                nint source = 0, target = 0;
                for (int axis = axes.Rank - 2; axis >= 0; axis--)
                {
                    if (axis != across)
                    {
                        (plane, nint place) = Math.DivRem(plane, axes.Extents[axis]);
                        source += place * (nint)axes.First[axis];
                        target += place * (nint)axes.Second[axis];
                    }
                }

                nint first = band * Band, begin = cut * Cut;
                source += (first * (nint)axes.First[axes.Rank - 1]) + begin;
                target += first + (begin * (nint)axes.Second[across]);
                int length = (int)Math.Min(Cut, axes.Extents[across] - begin);
                Transpose<TLanes>(from + source, to + target, (int)Math.Min(Band, Rows - first), length);
            }
        }

        /// <summary>target[k * toStride + j] (=|+=) source[j * fromStride + k] for so many j and k.</summary>
        [MethodImpl(KernelCode.Loop)]
        private void Transpose<TLanes>(float* source, float* target, int count, int length)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            nint fromStride = (nint)axes.First[axes.Rank - 1], toStride = (nint)axes.Second[across];
            int lanes = TLanes.Count;
            int wholeRows = lanes >= 4 ? count - (count % lanes) : 0, whole = length & ~3;
            float** rows = stackalloc float*[Band];
            float* block = stackalloc float[64];
            for (int j = 0; j < count; j++)
            {
                rows[j] = source + (j * fromStride);
            }

            int interleaved = count == 3 && toStride == 3 && !accumulate
                ? Interleave(rows[0], rows[1], rows[2], target, length)
                : 0;

            for (int j = 0; j < wholeRows; j += lanes)
            {
                for (nint k = 0; k < whole; k += 4)
                {
                    float* at = target + (k * toStride) + j;
                    if (!accumulate)
                    {
                        Pack<TLanes>.TransposeFour(rows + j, k, at, toStride);
                        continue;
                    }

                    Pack<TLanes>.TransposeFour(rows + j, k, block, lanes);
                    for (int i = 0; i < 4; i++, at += toStride)
                    {
                        TLanes.Store(TLanes.Load(at) + TLanes.Load(block + (i * lanes)), at);
                    }
                }
            }

            Rest(rows, target, toStride, 0, wholeRows, whole, length);
            Rest(rows, target, toStride, wholeRows, count, interleaved, length);
        }

        /// <summary>
        /// Three planes, as of a color image, into pixels, four at a time; returns how many were.
        /// </summary>
        private static int Interleave(float* red, float* green, float* blue, float* pixels, int length)
        {
            // Places past the last are zeros.
            const int none = 4;
            int k = 0;
            for (; k <= length - 4; k += 4, pixels += 12)
            {
                Vector128<float> r = Vector128.Load(red + k), g = Vector128.Load(green + k), b = Vector128.Load(blue + k);
                Vector128<float> first = Vector128.Shuffle(r, Vector128.Create(0, none, none, 1))
                    | Vector128.Shuffle(g, Vector128.Create(none, 0, none, none))
                    | Vector128.Shuffle(b, Vector128.Create(none, none, 0, none));
                Vector128<float> second = Vector128.Shuffle(r, Vector128.Create(none, none, 2, none))
                    | Vector128.Shuffle(g, Vector128.Create(1, none, none, 2))
                    | Vector128.Shuffle(b, Vector128.Create(none, 1, none, none));
                Vector128<float> third = Vector128.Shuffle(r, Vector128.Create(none, 3, none, none))
                    | Vector128.Shuffle(g, Vector128.Create(none, none, 3, none))
                    | Vector128.Shuffle(b, Vector128.Create(2, none, none, 3));
                first.Store(pixels);
                second.Store(pixels + 4);
                third.Store(pixels + 8);
            }

            return k;
        }

        private void Rest(float** rows, float* target, nint toStride, int firstRow, int endRow, int first, int end)
        {
            for (nint k = first; k < end; k++)
            {
                float* at = target + (k * toStride);
                for (int j = firstRow; j < endRow; j++)
                {
                    at[j] = accumulate ? at[j] + rows[j][k] : rows[j][k];
                }
            }
        }
    }
}
