using System.Globalization;
using System.Numerics;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Elements by their indices: whole runs are copied where an index stands for a row, 8 bytes moved per float; else one by one.
/// </summary>
internal sealed unsafe partial class CpuIndexing
{
    public void Gather(string name, Tensor index, Tensor table, Tensor picked, IndexedAxes axes, bool accumulate)
    {
        RequireIndices(name, index, axes.Extent);
        if (picked.Count == 0)
        {
            return;
        }

        var indices = new IndexList(index);
        switch (picked.Type.Size())
        {
            case 1:
                Gather(indices, (byte*)table.Address, (byte*)picked.Address, axes);
                break;
            case 2:
                Gather(indices, (ushort*)table.Address, (ushort*)picked.Address, axes);
                break;
            case 4 when accumulate:
                RowLoop.Run(
                    Pool, axes.Picked.Outer, axes.Picked.Inner,
                    new GatherAdded(indices, axes.Picked, (nint)axes.TableStep, Floats(table), Floats(picked)));
                break;
            case 4:
                Gather(indices, Floats(table), Floats(picked), axes);
                break;
            default:
                Gather(indices, (ulong*)table.Address, (ulong*)picked.Address, axes);
                break;
        }
    }

    private void Gather<T>(IndexList indices, T* table, T* picked, IndexedAxes axes)
        where T : unmanaged => RowLoop.Run(
        Pool, axes.Picked.Outer, axes.Picked.Inner, new Gathered<T>(indices, axes.Picked, (nint)axes.TableStep, table, picked));

    /// <summary>Fails where an index is not 0 to extent - 1.</summary>
    private static void RequireIndices(string name, Tensor index, int extent)
    {
        if (index.Type == DType.Int64)
        {
            RequireRange(name, index, extent - 1L);
        }
        else
        {
            RequireRange(name, index, extent - 1);
        }
    }

    private static void RequireRange<T>(string name, Tensor index, T last)
        where T : unmanaged, IBinaryInteger<T>
    {
        var values = new ReadOnlySpan<T>((void*)index.Address, Tensor.Index(index.Count));
        int place = last < T.Zero ? (values.Length > 0 ? 0 : -1) : values.IndexOfAnyExceptInRange(T.Zero, last);
        if (place >= 0)
        {
            throw new InvalidDatasetException(string.Create(
                CultureInfo.InvariantCulture, $"{name}: index {values[place]} at position {place} is out of range 0..{last}."));
        }
    }

    private readonly struct Gathered<T>(IndexList indices, StridedAxes axes, nint step, T* table, T* picked) : IRowBody
        where T : unmanaged
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            (nint indexStep, nint tableStep, nint pickedStep) = Steps(axes);
            int length = axes.Inner;
            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint at, out nint from, out nint to);
                if (indexStep == 0 && tableStep == 1 && pickedStep == 1)
                {
                    long bytes = (long)length * sizeof(T);
                    Buffer.MemoryCopy(table + from + ((nint)indices[at] * step), picked + to, bytes, bytes);
                    continue;
                }

                for (int i = 0; i < length; i++)
                {
                    picked[to] = table[from + ((nint)indices[at] * step)];
                    at += indexStep;
                    from += tableStep;
                    to += pickedStep;
                }
            }
        }
    }

    private readonly struct GatherAdded(IndexList indices, StridedAxes axes, nint step, float* table, float* picked) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            (nint indexStep, nint tableStep, nint pickedStep) = Steps(axes);
            int length = axes.Inner;
            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint at, out nint from, out nint to);
                if (indexStep == 0 && tableStep == 1 && pickedStep == 1)
                {
                    ElementLoop.Range<TLanes, UnaryMap<Identity, Accumulate>>(
                        new(table + from + ((nint)indices[at] * step), picked + to, default), 0, length);
                    continue;
                }

                for (int i = 0; i < length; i++)
                {
                    picked[to] += table[from + ((nint)indices[at] * step)];
                    at += indexStep;
                    from += tableStep;
                    to += pickedStep;
                }
            }
        }
    }

    /// <summary>The steps along the innermost axis; for a single element any will do.</summary>
    private static (nint First, nint Second, nint Third) Steps(in StridedAxes axes) => axes.Rank == 0
        ? (0, 1, 1)
        : ((nint)axes.First[axes.Rank - 1], (nint)axes.Second[axes.Rank - 1], (nint)axes.Third[axes.Rank - 1]);
}
